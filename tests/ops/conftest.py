"""Makes the oracle and the strategies beside this file importable under their plain names."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# The first call of a torch kernel may take long: no deadline. The same examples on every machine.
settings.register_profile("ops", deadline=None, derandomize=True)
settings.load_profile("ops")
