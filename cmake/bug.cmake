# SPDX-License-Identifier: MIT
# MAGPIE_BUG=NAME builds with the bug tests/bugs/NAME.sed put back: in a copy of the sources in the build folder, so that
# none of ours holds a switch for it. MAGPIE_BUG=none: that copy as it is. The copy is made at each
# configuration. magpie_root is where the sources are.

set(MAGPIE_BUG "" CACHE STRING "A bug of tests/bugs to put back; tools/resurrect does it with each")
set(magpie_root ${PROJECT_SOURCE_DIR})
if(MAGPIE_BUG)
	set(magpie_root ${PROJECT_BINARY_DIR}/bug)
	execute_process(COMMAND sh ${PROJECT_SOURCE_DIR}/tests/bugs/put_back.sh ${MAGPIE_BUG} ${magpie_root}
		WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} RESULT_VARIABLE rc)
	if(NOT rc EQUAL 0)
		message(FATAL_ERROR "the bug ${MAGPIE_BUG} cannot be put back")
	endif()
	list(APPEND magpie_summary "BUG put back: ${MAGPIE_BUG}")
endif()
