"""``python -m abline`` is the command ``abline``."""

from abline.cli import main

if __name__ == "__main__":
    main()
