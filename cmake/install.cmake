# SPDX-License-Identifier: MIT
# make install: the libraries, the headers (impl/ too: the public ones include it), the command, magpie.pc and the
# CMake package.

include(CMakePackageConfigHelpers)

install(TARGETS magpie magpie_static EXPORT magpieTargets)
install(DIRECTORY include/magpie DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(magpie_tool_on)
	install(TARGETS magpie_tool)
	# set again here: the library may be in a place that the loader does not search
	file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
	set_target_properties(magpie_tool PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
endif()

set(magpie_cmakedir ${CMAKE_INSTALL_LIBDIR}/cmake/magpie)
install(EXPORT magpieTargets NAMESPACE magpie:: DESTINATION ${magpie_cmakedir})
configure_package_config_file(cmake/magpieConfig.cmake.in ${PROJECT_BINARY_DIR}/magpieConfig.cmake
	INSTALL_DESTINATION ${magpie_cmakedir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/magpieConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/magpieConfig.cmake ${PROJECT_BINARY_DIR}/magpieConfigVersion.cmake
	DESTINATION ${magpie_cmakedir})

foreach(module IN LISTS magpie_modules)
	install(TARGETS magpie_${module} magpie_${module}_static EXPORT magpie_${module}Targets)
	install(EXPORT magpie_${module}Targets NAMESPACE magpie:: DESTINATION ${magpie_cmakedir})
endforeach()

# What the headers must be compiled with to agree with this build of the library.
set(magpie_pc_cflags "")
if(MAGPIE_DEBUG)
	string(APPEND magpie_pc_cflags " -DMAGPIE_DEBUG=1")
endif()
if(MAGPIE_FORCED_MIGRATION)
	string(APPEND magpie_pc_cflags " -DMAGI_FORCED_MIGRATION=1")
endif()
foreach(dir INCLUDEDIR LIBDIR)
	string(TOLOWER magpie_pc_${dir} variable)
	if(IS_ABSOLUTE ${CMAKE_INSTALL_${dir}})
		set(${variable} ${CMAKE_INSTALL_${dir}})
	else()
		set(${variable} "\${prefix}/${CMAKE_INSTALL_${dir}}")
	endif()
endforeach()
configure_file(cmake/magpie.pc.in ${PROJECT_BINARY_DIR}/magpie.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/magpie.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
