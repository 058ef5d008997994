# SPDX-License-Identifier: MIT
# The modules: libraries of their own that see the public headers alone, each a component of the CMake package and a .pc
# file. Each is on where what it stands on is found.

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
		target_include_directories(llhttp_strict SYSTEM PUBLIC $<BUILD_INTERFACE:${LLHTTP_INCLUDE_DIR}>)
		# without it a bare CR passes; the header looks at it too
		target_compile_definitions(llhttp_strict PUBLIC LLHTTP_STRICT_MODE=1)
		target_compile_options(llhttp_strict PRIVATE -w)
		set_target_properties(llhttp_strict PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
		set(llhttp_target llhttp_strict PARENT_SCOPE)
		set(llhttp_origin "${LLHTTP_SOURCE_DIR}, strict" PARENT_SCOPE)
	endif()
endfunction()

# magpie_module(NAME DESCRIPTION NEEDS <what is needed, in words> FOUND <whether it is there> LINKS <targets>
#               [REQUIRES <other modules>] [OPTIONAL <others, MAGPIE_HAVE_… where they are on>]
#               [PART <its sources that begin so> PART_NEEDS <NAME of what is found by pkg-config>])
# libmagpie_NAME of src/NAME/*.c: magpie::NAME, and magpie_NAME_static for the tests. Adds it to magpie_modules.
function(magpie_module name description)
	cmake_parse_arguments(arg "" "NEEDS;FOUND;PART;PART_NEEDS" "LINKS;REQUIRES;OPTIONAL" ${ARGN})
	string(TOUPPER MAGPIE_WITH_${name} option)
	set(${option} AUTO CACHE STRING "${description} (${arg_NEEDS}): AUTO, ON, OFF")
	file(GLOB sources CONFIGURE_DEPENDS ${magpie_root}/src/${name}/*.c)
	if(arg_PART AND NOT ${arg_PART_NEEDS}_FOUND)
		list(FILTER sources EXCLUDE REGEX "/${arg_PART}_[^/]*$")
	endif()
	if(NOT sources)
		return()
	elseif(${option} STREQUAL "OFF")
		list(APPEND magpie_summary "${name}: off")
	elseif(NOT arg_FOUND AND ${option} STREQUAL "ON")
		message(FATAL_ERROR "${option}=ON needs ${arg_NEEDS}")
	elseif(NOT arg_FOUND)
		list(APPEND magpie_summary "${name}: off, not found: ${arg_NEEDS}")
	else()
		set(is_on TRUE)
		list(APPEND magpie_summary "${name}: on")
	endif()
	set(magpie_summary "${magpie_summary}" PARENT_SCOPE)
	if(NOT is_on) # `on` would be a constant
		return()
	endif()
	set(magpie_modules ${magpie_modules} ${name} PARENT_SCOPE)

	add_library(magpie_${name} SHARED ${sources})
	if(CMAKE_BUILD_TYPE STREQUAL "Release")
		add_library(magpie_${name}_static STATIC ${sources})
	else()
		add_library(magpie_${name}_static STATIC $<TARGET_OBJECTS:magpie_${name}>)
	endif()
	add_library(magpie::${name} ALIAS magpie_${name})
	foreach(form "" _static)
		set(lib magpie_${name}${form})
		target_include_directories(${lib} PRIVATE ${magpie_root}/src)
		target_link_libraries(${lib} PUBLIC magpie${form} PRIVATE $<BUILD_INTERFACE:magpie_flags> ${arg_LINKS})
		foreach(module IN LISTS arg_REQUIRES)
			target_link_libraries(${lib} PUBLIC magpie_${module}${form})
		endforeach()
		foreach(module IN LISTS arg_OPTIONAL)
			if(module IN_LIST magpie_modules)
				string(TOUPPER MAGPIE_HAVE_${module} have)
				target_compile_definitions(${lib} PRIVATE ${have}=1)
				target_link_libraries(${lib} PUBLIC magpie_${module}${form})
			endif()
		endforeach()
		if(arg_PART AND ${arg_PART_NEEDS}_FOUND)
			target_compile_definitions(${lib} PRIVATE MAGPIE_HAVE_${arg_PART_NEEDS}=1)
			target_link_libraries(${lib} PRIVATE PkgConfig::${arg_PART_NEEDS})
		endif()
		set_target_properties(${lib} PROPERTIES OUTPUT_NAME magpie_${name} EXPORT_NAME ${name}${form}
			C_VISIBILITY_PRESET hidden)
	endforeach()
	set_target_properties(magpie_${name} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
		INSTALL_RPATH "$ORIGIN" LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/magpie.map)
	target_link_options(magpie_${name} PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/magpie.map)
endfunction()

set(magpie_modules "") # those that are on
magpie_find_llhttp()
pkg_check_modules(CURL QUIET IMPORTED_TARGET libcurl>=7.85)
pkg_check_modules(OPENSSL QUIET IMPORTED_TARGET openssl>=3)
pkg_check_modules(ZLIB QUIET IMPORTED_TARGET zlib)
set(MAGPIE_WITH_HTTP2 AUTO CACHE STRING "HTTP/2 in the HTTP server (nghttp2; Debian: libnghttp2-dev): AUTO, ON, OFF")
if(MAGPIE_WITH_HTTP2 STREQUAL "ON")
	pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2>=1.50)
elseif(NOT MAGPIE_WITH_HTTP2 STREQUAL "OFF")
	pkg_check_modules(NGHTTP2 QUIET IMPORTED_TARGET libnghttp2>=1.50)
else()
	set(NGHTTP2_FOUND FALSE)
endif()
# Debian's libwslay has no .pc file
find_library(WSLAY_LIBRARY wslay)
find_path(WSLAY_INCLUDE_DIR wslay/wslay.h)
if(WSLAY_LIBRARY AND WSLAY_INCLUDE_DIR)
	set(WSLAY_FOUND TRUE)
endif()

magpie_module(tls "TLS on the ring's send and receive" NEEDS "OpenSSL 3 (Debian: libssl-dev)" FOUND "${OPENSSL_FOUND}"
	LINKS PkgConfig::OPENSSL)
magpie_module(websocket "WebSocket, both roles" NEEDS "wslay (Debian: libwslay-dev)" FOUND "${WSLAY_FOUND}"
	LINKS ${WSLAY_LIBRARY})
magpie_module(http_client "an HTTP client" NEEDS "libcurl (Debian: libcurl4-openssl-dev)" FOUND "${CURL_FOUND}"
	LINKS PkgConfig::CURL)
if(llhttp_target AND ZLIB_FOUND)
	set(http_server_found TRUE)
endif()
magpie_module(http_server "an HTTP server" NEEDS "llhttp and zlib (Debian: node-llhttp zlib1g-dev)"
	FOUND "${http_server_found}" LINKS $<BUILD_INTERFACE:${llhttp_target}> PkgConfig::ZLIB OPTIONAL tls
	PART http2 PART_NEEDS NGHTTP2)
