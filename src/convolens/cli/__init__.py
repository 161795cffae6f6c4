"""The command line: ``main.py`` and one file a command. Nothing here imports torch at the top."""
