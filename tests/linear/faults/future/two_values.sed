# SPDX-License-Identifier: MIT
# complete: a second one completes it once more.
s/\tif \(magi_load_rlx\(&future->done\)\) \{[^\n]*\n\t\tmagi_lock_release\(lock\);\n\t\treturn -EALREADY;\n\t\}\n//
