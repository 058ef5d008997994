# SPDX-License-Identifier: MIT
# libmagpie, static (the tests link it: they see inside) and shared (what users and the programs link).

file(GLOB magpie_sources CONFIGURE_DEPENDS ${magpie_root}/src/*/*.c)
list(FILTER magpie_sources EXCLUDE REGEX "/src/(http_client|http_server|tls|websocket)/") # modules.cmake
if(NOT magpie_sources)
	file(WRITE ${PROJECT_BINARY_DIR}/empty.c "")
	set(magpie_sources ${PROJECT_BINARY_DIR}/empty.c)
endif()

add_library(magpie SHARED ${magpie_sources})
if(CMAKE_BUILD_TYPE STREQUAL "Release")
	add_library(magpie_static STATIC ${magpie_sources})
else() # position-independent, too: what is not measured is compiled once
	add_library(magpie_static STATIC $<TARGET_OBJECTS:magpie>)
endif()
add_library(magpie::static ALIAS magpie_static)
add_library(magpie::magpie ALIAS magpie)

foreach(lib magpie magpie_static)
	target_include_directories(${lib}
		PUBLIC $<BUILD_INTERFACE:${magpie_root}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
		PRIVATE ${magpie_root}/src)
	# the headers hold the inline fast path: whoever includes them must agree with the library on these
	target_compile_definitions(${lib} PUBLIC
		$<$<BOOL:${MAGPIE_DEBUG}>:MAGPIE_DEBUG=1>
		$<$<BOOL:${MAGPIE_FORCED_MIGRATION}>:MAGI_FORCED_MIGRATION=1>)
	target_compile_definitions(${lib} PRIVATE $<$<BOOL:${MAGPIE_WAIT_POLL}>:MAGI_WAIT_POLL=1>)
	target_compile_options(${lib} INTERFACE ${magpie_user_warnings})
	target_link_libraries(${lib} PRIVATE $<BUILD_INTERFACE:magpie_flags> PkgConfig::URING Threads::Threads)
	set_target_properties(${lib} PROPERTIES OUTPUT_NAME magpie C_VISIBILITY_PRESET hidden)
endforeach()

set_target_properties(magpie PROPERTIES
	VERSION ${PROJECT_VERSION}
	SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
	EXPORT_NAME magpie
	LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/magpie.map)
set_target_properties(magpie_static PROPERTIES EXPORT_NAME static)
target_link_options(magpie PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/magpie.map)
if(NOT MAGPIE_SANITIZE)
	# clang leaves the sanitizer's own symbols to the program
	target_link_options(magpie PRIVATE -Wl,--no-undefined)
endif()
