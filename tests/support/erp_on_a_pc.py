"""The reference ERP at another address than the loopback: `python -m tests.support.erp_on_a_pc ADDRESS ...`."""

from __future__ import annotations

import sys

from sync import reference_erp

if __name__ == "__main__":
    reference_erp.HOST = sys.argv.pop(1)
    sys.exit(reference_erp.main())
