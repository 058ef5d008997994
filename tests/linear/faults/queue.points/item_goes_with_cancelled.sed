# SPDX-License-Identifier: MIT
# put: the element for a popper whose canceller came first is gone.
s/continue;\n(\t\tcopy\(to)/return 0;\n\1/
