"""Makes the list of small models beside this file importable under its plain name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
