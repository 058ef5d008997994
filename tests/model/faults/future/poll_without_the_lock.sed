# SPDX-License-Identifier: MIT
# poll: who sees that it is done does not wait until its completer has let go of it.
s/\tpass_lock\(future\);\n\tif \(result\)/\tif (result)/
