# SPDX-License-Identifier: MIT
# wake_up: who takes up work does not see to it that somebody watches it.
s/\tif \(!was_awake\)\n\t\tmagi_offer_watch\(&w->pub\);\n/\t(void)was_awake;\n/
