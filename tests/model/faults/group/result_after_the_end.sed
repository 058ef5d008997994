# SPDX-License-Identifier: MIT
# spawn_end: a member's result comes after its end was told.
s/\tif \(flags & MAGI_SLOTTED\)\n\t\t\*magi_gathered_of\(f, f->class_\)->result = rc;\n/\tint64_t *late = flags \& MAGI_SLOTTED ? magi_gathered_of(f, f->class_)->result : NULL;\n/
s/\tw->ended\+\+;\n/\tw->ended++;\n\tmagi_group_flush(w);\n\tif (late)\n\t\t*late = rc;\n/
