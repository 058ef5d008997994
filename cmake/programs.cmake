# SPDX-License-Identifier: MIT
# The magpie command and the examples. They see the public headers and link the shared library, as users do.

# llhttp: a library where there is one, else the generated C that Debian's node-llhttp ships. Before version 9 strict
# parsing is decided at compile time and a library may have been built without it, so such a library is not taken.
function(magpie_find_llhttp)
	pkg_check_modules(LLHTTP QUIET IMPORTED_TARGET libllhttp>=9)
	if(LLHTTP_FOUND)
		set(llhttp_target PkgConfig::LLHTTP PARENT_SCOPE)
		set(llhttp_origin "libllhttp ${LLHTTP_VERSION}" PARENT_SCOPE)
		return()
	endif()
	find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
	find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
	if(LLHTTP_SOURCE_DIR AND LLHTTP_INCLUDE_DIR)
		add_library(llhttp_strict STATIC ${LLHTTP_SOURCE_DIR}/llhttp.c ${LLHTTP_SOURCE_DIR}/api.c
			${LLHTTP_SOURCE_DIR}/http.c)
		target_include_directories(llhttp_strict SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
		# without it a bare CR passes; the header looks at it too
		target_compile_definitions(llhttp_strict PUBLIC LLHTTP_STRICT_MODE=1)
		target_compile_options(llhttp_strict PRIVATE -w)
		set(llhttp_target llhttp_strict PARENT_SCOPE)
		set(llhttp_origin "${LLHTTP_SOURCE_DIR}, strict" PARENT_SCOPE)
	endif()
endfunction()

file(GLOB tool_sources CONFIGURE_DEPENDS ${magpie_root}/tools/magpie/*.c)
file(GLOB bench_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)

if(MAGPIE_WITH_TOOL STREQUAL "OFF")
	list(APPEND magpie_summary "magpie command: off")
else()
	magpie_find_llhttp()
	if(NOT llhttp_target AND MAGPIE_WITH_TOOL STREQUAL "ON")
		message(FATAL_ERROR "MAGPIE_WITH_TOOL=ON needs llhttp (Debian: node-llhttp)")
	elseif(NOT llhttp_target)
		list(APPEND magpie_summary "magpie command: off, no llhttp (Debian: node-llhttp)")
	elseif(NOT tool_sources)
		list(APPEND magpie_summary "magpie command: off, tools/magpie has no source")
	else()
		set(magpie_tool_on TRUE)
		list(APPEND magpie_summary "magpie command: on (llhttp: ${llhttp_origin})")
	endif()
endif()

set(have_libuv 0)
if(magpie_tool_on AND NOT MAGPIE_WITH_LIBUV STREQUAL "OFF")
	pkg_check_modules(LIBUV QUIET IMPORTED_TARGET libuv)
	if(LIBUV_FOUND)
		set(have_libuv 1)
	elseif(MAGPIE_WITH_LIBUV STREQUAL "ON")
		message(FATAL_ERROR "MAGPIE_WITH_LIBUV=ON, but pkg-config does not find libuv")
	endif()
	list(APPEND magpie_summary "libuv in magpie bench: ${have_libuv}")
endif()

function(add_tool target output library)
	add_executable(${target})
	target_link_libraries(${target} PRIVATE magpie_tool_parts ${library})
	set_target_properties(${target} PROPERTIES OUTPUT_NAME ${output})
endfunction()

# As a user links it; where it is measured static as well, for the figures that stand beside.
if(magpie_tool_on)
	add_library(magpie_tool_parts OBJECT ${tool_sources} ${bench_sources})
	target_include_directories(magpie_tool_parts PRIVATE ${magpie_root}/tools/magpie ${PROJECT_SOURCE_DIR}/bench
		$<TARGET_PROPERTY:magpie,INTERFACE_INCLUDE_DIRECTORIES>)
	target_compile_definitions(magpie_tool_parts PRIVATE HAVE_LIBUV=${have_libuv}
		$<TARGET_PROPERTY:magpie,INTERFACE_COMPILE_DEFINITIONS>)
	target_link_libraries(magpie_tool_parts PUBLIC magpie_flags ${llhttp_target} PkgConfig::URING Threads::Threads m)
	if(have_libuv)
		target_link_libraries(magpie_tool_parts PUBLIC PkgConfig::LIBUV)
	endif()
	add_tool(magpie_tool magpie magpie)
	if(CMAKE_BUILD_TYPE STREQUAL "Release" OR MAGPIE_COVERAGE)
		add_tool(magpie_tool_static magpie-static magpie_static)
	endif()
endif()

# Programs for the simulator, each with its bug and without.
file(GLOB sim_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/sim/*.c)
foreach(source IN LISTS sim_sources)
	get_filename_component(name ${source} NAME_WE)
	foreach(form "" _fixed)
		add_library(example_sim_${name}${form} MODULE ${source})
		target_link_libraries(example_sim_${name}${form} PRIVATE magpie_flags magpie)
		set_target_properties(example_sim_${name}${form} PROPERTIES PREFIX "" OUTPUT_NAME ${name}${form}
			LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples/sim)
	endforeach()
	target_compile_definitions(example_sim_${name}_fixed PRIVATE FIXED=1)
endforeach()

file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.c)
if(NOT example IN_LIST MAGPIE_TEST_KINDS)
	set(example_sources "")
endif()
foreach(source IN LISTS example_sources)
	get_filename_component(name ${source} NAME_WE)
	add_executable(example_${name} ${source})
	target_link_libraries(example_${name} PRIVATE magpie_flags magpie Threads::Threads)
	set_target_properties(example_${name} PROPERTIES
		OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/examples)
endforeach()
