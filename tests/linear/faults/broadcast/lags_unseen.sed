# SPDX-License-Identifier: MIT
# take: who lags gets an element that was overwritten.
s/behind > kept\)/behind > kept + 1)/
