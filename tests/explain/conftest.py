"""Makes the networks beside this file importable under their plain name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
