"""`python -m tests.audit` holds the lock against known vulnerabilities, and exits with 1 unless it did and found none.

An audit that did not look also finds nothing: behind a mirror of PyPI, pip-audit skips each package that it cannot ask
about, and says that it found none. So each package of the lock must have an answer, and a release that is known to be
vulnerable must be found so.
"""

import sys
import tempfile
from pathlib import Path

from tests.audit.dependencies import KNOWN, NotAudited, ask, judge, locked

LOCK = Path(__file__).parents[2] / "requirements.lock"


def main() -> None:
    """Ask about the known release, then about the lock."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            known = Path(folder) / "known.txt"
            known.write_text(f"{KNOWN}\n")
            answer = ask(known, "--no-deps")
        vulnerable = judge(ask(LOCK), locked(LOCK.read_text()), answer)
    except NotAudited as error:
        sys.exit(f"{LOCK.name}: not audited: {error}; nothing is known of it")
    for name, numbers in sorted(vulnerable.items()):
        print(f"{LOCK.name}: found {name} with {', '.join(numbers)}, expected none; raise its version")
    if vulnerable:
        sys.exit(1)
    print(f"{LOCK.name}: {len(locked(LOCK.read_text()))} packages audited, no known vulnerability")


main()
