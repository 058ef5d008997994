# SPDX-License-Identifier: MIT
"""What the analysis knows of magpie: which macros are verbs, and how they treat their arguments."""
import re

TASK_HEADS = {"MAG_TASK"}
ENDS_TASK = {"MAG_RETURN", "MAG_END"}
# A verb is a macro whose name begins so and that stands where a statement begins. Whether it suspends in this version
# does not matter: the contract is that locals are lost at every verb.
VERBS = re.compile(
    r"MAG_(AWAIT|CALL|FORK|JOIN|SPAWN|YIELD|EMIT|NEXT|CLOSE|GENERATE|WITH|SCOPE|GROUP|SHIELD|USING|GATHER|SETTLED|ANY|RACE"
    r"|TRANSACTION|OFFLOAD|RETRY|HEDGE|BREAKER)"
    r"(_\w+)?$"
)
# Their first argument is assigned behind the suspension.
ASSIGNS_FIRST = re.compile(
    r"MAG_(AWAIT|CALL|JOIN|SPAWN|YIELD|EMIT|NEXT|GENERATE)(_\w+)?$|MAG_\w+_(END|ADD|EACH)$"
    r"|MAG_(USING|TRANSACTION|BREAKER)_BEGIN$|MAG_(RETRY|HEDGE|BREAKER)$"
)
# Their arguments are evaluated again behind a suspension.
EVALUATES_AGAIN = re.compile(r"MAG_(RETRY|HEDGE)$|MAG_\w+_EACH$")
# Their arguments' addresses are used after the step has returned: all but the ends, which let go.
KEEPS_ARGUMENTS = re.compile(r"(?!MAG_\w+_END$)(?!MAG_EMIT)" + VERBS.pattern)
