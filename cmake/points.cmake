# SPDX-License-Identifier: MIT
# simulated.*: programs in the simulator, with a library in which another may go first before each atomic operation, and
# with queues of a few entries.

file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/simulated/test_*.c)
add_library(magpie_points STATIC EXCLUDE_FROM_ALL ${magpie_sources})
target_include_directories(magpie_points PUBLIC ${magpie_root}/include ${magpie_root}/src)
target_compile_definitions(magpie_points PUBLIC MAGI_POINTS=1 MAGI_DEQUE_CAPACITY=8
	$<$<BOOL:${MAGPIE_DEBUG}>:MAGPIE_DEBUG=1>
	$<$<BOOL:${MAGPIE_FORCED_MIGRATION}>:MAGI_FORCED_MIGRATION=1>)
target_link_libraries(magpie_points PRIVATE magpie_flags PkgConfig::URING Threads::Threads)
if(NOT MAGPIE_SANITIZE AND NOT MAGPIE_COVERAGE) # a search is as good as it is long, in any build
	target_compile_options(magpie_points PRIVATE -O2)
endif()

foreach(source IN LISTS sources)
	get_filename_component(name ${source} NAME_WE)
	string(REGEX REPLACE "^test_" "" name ${name})
	set(target simulated_${name})
	add_executable(${target} ${source})
	target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
	target_link_libraries(${target} PRIVATE magpie_flags magpie_points magpie_criterion PkgConfig::URING
		Threads::Threads m)
	set_target_properties(${target} PROPERTIES
		OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/tests/simulated)
	set(serial "")
	if(name STREQUAL "schedules") # on all CPUs
		set(serial SERIAL)
	endif()
	magpie_add_test(simulated.${name} COMMAND $<TARGET_FILE:${target}> -j1 --verbose LABEL simulated ${serial})
endforeach()
