"""`python -m scratchml`: the command line."""
from scratchml.tour.command import main

if __name__ == "__main__":
    main()
