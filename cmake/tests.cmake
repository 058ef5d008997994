# SPDX-License-Identifier: MIT
# Which of these kinds are built: MAGPIE_TEST_KINDS.
#
# unit.*, conformance.*, stress.*   a Criterion program for each tests/<kind>/test_*.c, linked to the static library
# model.*                           tests/model: the lock-free core in every order, with and without planted faults
# simulated.*                       tests/simulated: in the simulator: points.cmake
# linear.*                          tests/linear: random histories of the primitives, checked to be linearizable
# small.*                           the unit tests of tasks, with a deque of two entries: small.cmake
# modules: tls.*, http_client.*, …   tests/NAME of each module that is on
# http.*, fuzz.*                    tests/http: the request parser of magpie serve; tests/fuzz: what reads others' bytes
# script.*                          tests/scripts/*.sh, with the programs' folder as the argument; 77 means skipped
# example.*                         each example, run to its end; sim_*: those of examples/sim on real workers
# planted: linear.*.*               faults in copies of the primitives, which linear.* finds
# install                           a program outside the tree that uses what was installed
# tree: header.*, tools.*           the headers alone, the checking scripts: they look at the tree, not at the build

enable_testing()

# Sanitizers speak through the exit code. With LeakSanitizer's usual exit Criterion counts a leaking test as passed.
set(test_environment
	ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=1
	UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
	TSAN_OPTIONS=second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp
	LLVM_PROFILE_FILE=${PROJECT_BINARY_DIR}/profile/%4m.profraw)

if(MAGPIE_SANITIZE) # a tenth of the speed
	list(APPEND test_environment MAGPIE_SIM_SEEDS=1000)
endif()

# ThreadSanitizer's shadow does not fit where the kernel spreads mappings widely.
set(test_prefix "")
if(MAGPIE_SANITIZE MATCHES "thread")
	find_program(MAGPIE_SETARCH setarch)
	if(MAGPIE_SETARCH)
		execute_process(COMMAND ${MAGPIE_SETARCH} -R true RESULT_VARIABLE rc OUTPUT_QUIET ERROR_QUIET)
		if(rc EQUAL 0)
			set(test_prefix ${MAGPIE_SETARCH} -R)
		endif()
	endif()
endif()

# For what hangs; a busy machine is slow, and a sanitizer more so.
set(test_timeout 180)
if(MAGPIE_SANITIZE)
	set(test_timeout 480)
endif()

# SERIAL: alone. WAITS: most of its time it waits, and a third of a CPU is enough: tools/check gives ctest three jobs a CPU.
function(magpie_add_test name)
	cmake_parse_arguments(arg "SERIAL;WAITS" "TIMEOUT;LABEL" "COMMAND" ${ARGN})
	add_test(NAME ${name} COMMAND ${test_prefix} ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
	set_tests_properties(${name} PROPERTIES ENVIRONMENT "${test_environment}" SKIP_RETURN_CODE 77)
	if(arg_TIMEOUT)
		set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
	endif()
	if(arg_LABEL)
		set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL})
	endif()
	if(NOT arg_WAITS)
		set_tests_properties(${name} PROPERTIES PROCESSORS 3)
	endif()
	if(arg_WAITS OR name MATCHES "^model[.][a-z]+$") # they take longest, and are begun first
		set_tests_properties(${name} PROPERTIES COST 100)
	endif()
	if(arg_SERIAL)
		set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
	endif()
endfunction()

# What the test programs link as Criterion: itself, or under ThreadSanitizer (where its shared arena cannot be mapped)
# the shim of the same names.
add_library(magpie_criterion INTERFACE)
# It is the library that is asked, and the tests take longest to compile.
if(MAGPIE_SANITIZE AND NOT DEFINED ENV{MAGPIE_LONG})
	target_compile_options(magpie_criterion INTERFACE -O0 -g1)
	if(MAGPIE_SANITIZE MATCHES "undefined")
		target_compile_options(magpie_criterion INTERFACE -fno-sanitize=undefined)
	endif()
endif()
if(MAGPIE_WITH_TESTS STREQUAL "OFF")
	list(APPEND magpie_summary "tests: off")
	return()
elseif(MAGPIE_SANITIZE MATCHES "thread")
	add_library(magpie_shim STATIC ${PROJECT_SOURCE_DIR}/tests/shim/shim.c)
	target_include_directories(magpie_shim PUBLIC ${PROJECT_SOURCE_DIR}/tests/shim)
	target_link_libraries(magpie_shim PRIVATE magpie_flags)
	target_link_libraries(magpie_criterion INTERFACE magpie_shim)
	set(criterion_origin "the shim")
else()
	pkg_check_modules(CRITERION IMPORTED_TARGET criterion>=2.4)
	if(CRITERION_FOUND)
		target_link_libraries(magpie_criterion INTERFACE PkgConfig::CRITERION)
		set(criterion_origin "Criterion ${CRITERION_VERSION}")
	elseif(MAGPIE_WITH_TESTS STREQUAL "ON")
		message(FATAL_ERROR "MAGPIE_WITH_TESTS=ON needs Criterion (Debian: libcriterion-dev)")
	else()
		list(APPEND magpie_summary "tests: off, no Criterion (Debian: libcriterion-dev)")
		return()
	endif()
endif()

# tests/long: what its scripts run; they are not tests here, but for the short ones of tests/scripts.
set(sources "")
if(script IN_LIST MAGPIE_TEST_KINDS)
	file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/long/*.c)
endif()
foreach(source IN LISTS sources)
	get_filename_component(name ${source} NAME_WE)
	add_executable(long_${name} ${source})
	target_link_libraries(long_${name} PRIVATE magpie_flags magpie Threads::Threads)
	set_target_properties(long_${name} PROPERTIES
		OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/tests/long)
endforeach()

# What several tests share; a program takes from it what it names.
file(GLOB support_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.c)
if(support_sources)
	add_library(magpie_support STATIC ${support_sources})
	target_include_directories(magpie_support PRIVATE ${magpie_root}/src ${PROJECT_SOURCE_DIR}/tests)
	target_link_libraries(magpie_support PRIVATE magpie_flags magpie_criterion magpie_static)
endif()

# Stress tests have no limit of their own: the caller's --timeout says how long this run may take.
foreach(kind unit conformance stress)
	if(NOT kind IN_LIST MAGPIE_TEST_KINDS)
		continue()
	endif()
	file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/test_*.c)
	foreach(source IN LISTS sources)
		get_filename_component(name ${source} NAME_WE)
		string(REGEX REPLACE "^test_" "" name ${name})
		set(target ${kind}_${name})
		add_executable(${target} ${source})
		target_include_directories(${target} PRIVATE ${magpie_root}/src ${PROJECT_SOURCE_DIR}/tests)
		target_link_libraries(${target} PRIVATE magpie_flags)
		if(support_sources)
			target_link_libraries(${target} PRIVATE magpie_support)
		endif()
		target_link_libraries(${target} PRIVATE magpie_static magpie_criterion PkgConfig::URING Threads::Threads m)
		set_target_properties(${target} PROPERTIES
			OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/tests/${kind})
		# one at a time, so that limits in seconds mean something; verbose, or skipped tests are not mentioned
		set(command $<TARGET_FILE:${target}> -j1 --verbose)
		if(kind STREQUAL "stress")
			magpie_add_test(${kind}.${name} COMMAND ${command} LABEL stress SERIAL)
		else()
			magpie_add_test(${kind}.${name} COMMAND ${command} TIMEOUT ${test_timeout})
		endif()
	endforeach()
	list(LENGTH sources count)
	list(APPEND test_counts "${count} ${kind}")
endforeach()

set(tested_modules "")
if(modules IN_LIST MAGPIE_TEST_KINDS)
	set(tested_modules ${magpie_modules})
endif()
foreach(module IN LISTS tested_modules)
	file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${module}/test_*.c)
	foreach(source IN LISTS sources)
		get_filename_component(name ${source} NAME_WE)
		string(REGEX REPLACE "^test_" "" name ${name})
		set(target ${module}_${name})
		add_executable(${target} ${source})
		target_include_directories(${target} PRIVATE ${magpie_root}/src ${PROJECT_SOURCE_DIR}/tests)
		target_link_libraries(${target} PRIVATE magpie_flags magpie_support magpie_${module}_static magpie_criterion
			PkgConfig::URING Threads::Threads m)
		set_target_properties(${target} PROPERTIES
			OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/tests/${module})
		magpie_add_test(${module}.${name} COMMAND $<TARGET_FILE:${target}> -j1 --verbose TIMEOUT ${test_timeout})
	endforeach()
endforeach()

if(small IN_LIST MAGPIE_TEST_KINDS)
	include(cmake/small.cmake)
endif()
if(simulated IN_LIST MAGPIE_TEST_KINDS)
	include(cmake/points.cmake)
endif()
foreach(kind model linear)
	if(kind IN_LIST MAGPIE_TEST_KINDS)
		add_subdirectory(tests/${kind})
	endif()
endforeach()

# A part of the command is tested with llhttp and without the library.
if(llhttp_target AND http IN_LIST MAGPIE_TEST_KINDS)
	add_subdirectory(tests/http)
endif()

# With clang and libFuzzer, or on a few files and changes of these.
option(MAGPIE_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
if(llhttp_target AND (MAGPIE_FUZZ OR http IN_LIST MAGPIE_TEST_KINDS))
	add_subdirectory(tests/fuzz)
endif()

# What script.quit and script.lifecycle look at.
if(script IN_LIST MAGPIE_TEST_KINDS)
	foreach(name hangs stops)
		add_executable(${name} ${PROJECT_SOURCE_DIR}/tests/programs/${name}.c)
		target_link_libraries(${name} PRIVATE magpie_flags magpie Threads::Threads)
	endforeach()
endif()

# What script.tls_peers and script.websocket_peers look at: an end that talks to others' programs.
foreach(modules tls "websocket;tls" "http_server;websocket;tls")
	list(GET modules 0 name)
	set(missing ${modules})
	list(REMOVE_ITEM missing ${magpie_modules} none)
	if(script IN_LIST MAGPIE_TEST_KINDS AND NOT missing)
		add_executable(${name}_peer ${PROJECT_SOURCE_DIR}/tests/programs/${name}_peer.c)
		list(TRANSFORM modules PREPEND magpie_)
		target_link_libraries(${name}_peer PRIVATE magpie_flags magpie ${modules} Threads::Threads)
	endif()
endforeach()

# What script.sim looks at: programs that break what the simulator asks of them.
set(sources "")
if(script IN_LIST MAGPIE_TEST_KINDS)
	file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/programs/sim/*.c)
endif()
foreach(source IN LISTS sources)
	get_filename_component(name ${source} NAME_WE)
	add_library(program_${name} MODULE ${source})
	target_link_libraries(program_${name} PRIVATE magpie_flags magpie)
	set_target_properties(program_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
		LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/programs)
endforeach()

set(sources "")
if(script IN_LIST MAGPIE_TEST_KINDS)
	file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/scripts/*.sh)
endif()
foreach(source IN LISTS sources)
	get_filename_component(name ${source} NAME_WE)
	magpie_add_test(script.${name} COMMAND bash ${source} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT ${test_timeout} WAITS)
endforeach()

if(NOT example IN_LIST MAGPIE_TEST_KINDS)
	set(example_sources "")
	set(sim_sources "")
endif()
foreach(source IN LISTS example_sources)
	get_filename_component(name ${source} NAME_WE)
	magpie_add_test(example.${name} COMMAND $<TARGET_FILE:example_${name}> TIMEOUT ${test_timeout})
	# what is right makes no report; one provokes them
	if(MAGPIE_DEBUG AND NOT name STREQUAL "34_pitfalls")
		set_property(TEST example.${name} APPEND PROPERTY ENVIRONMENT MAGPIE_DEBUG=abort,stall=10000)
	endif()
endforeach()

# The planted bugs of examples/sim are hardly found by running them: that is what the simulator is for. One at a time, and not
# all of some attempts may find them: a worker that is held up for long does.
add_executable(run_program ${PROJECT_SOURCE_DIR}/tests/programs/run_program.c)
target_link_libraries(run_program PRIVATE magpie_flags magpie ${CMAKE_DL_LIBS})
foreach(source IN LISTS sim_sources)
	get_filename_component(name ${source} NAME_WE)
	magpie_add_test(example.sim_${name}
		COMMAND $<TARGET_FILE:run_program> $<TARGET_FILE:example_sim_${name}> 5 20 TIMEOUT 120 SERIAL)
	magpie_add_test(example.sim_${name}_fixed
		COMMAND $<TARGET_FILE:run_program> $<TARGET_FILE:example_sim_${name}_fixed> 5 TIMEOUT 60 SERIAL)
endforeach()

if(tree IN_LIST MAGPIE_TEST_KINDS)
	file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/include/magpie/*.h)
	file(GLOB uses CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/headers/*.c)
	foreach(what IN LISTS headers uses)
		string(REGEX REPLACE "^.*/|[.]h$" "" name ${what})
		magpie_add_test(header.${name}
			COMMAND bash ${PROJECT_SOURCE_DIR}/tests/headers/compile.sh ${PROJECT_SOURCE_DIR}/include ${what} TIMEOUT 120)
	endforeach()
	file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/tools/*.sh)
	foreach(source IN LISTS sources)
		get_filename_component(name ${source} NAME_WE)
		magpie_add_test(tools.${name} COMMAND bash ${source} ${PROJECT_SOURCE_DIR} TIMEOUT 180)
	endforeach()
endif()

# a program of a user's own does not come with the sanitizer that the library wants
if(install IN_LIST MAGPIE_TEST_KINDS AND NOT MAGPIE_SANITIZE AND NOT MAGPIE_COVERAGE)
	magpie_add_test(install COMMAND bash ${PROJECT_SOURCE_DIR}/tests/install/install.sh ${PROJECT_SOURCE_DIR}
		${PROJECT_BINARY_DIR} TIMEOUT 180)
endif()

list(JOIN test_counts ", " test_counts)
list(APPEND magpie_summary "tests: on (${criterion_origin}: ${test_counts})")
