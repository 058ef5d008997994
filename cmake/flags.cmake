# SPDX-License-Identifier: MIT
# How our own code is compiled: one interface target that the library, the programs and the tests link privately.

add_library(magpie_flags INTERFACE)
target_compile_definitions(magpie_flags INTERFACE _GNU_SOURCE)
target_compile_options(magpie_flags INTERFACE
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wwrite-strings
	-Wvla -Wundef -fno-plt)

# What warns of a local that an await has lost. The users of the headers get these too, never as errors.
set(magpie_user_warnings
	$<$<C_COMPILER_ID:GNU>:-Wmaybe-uninitialized>
	$<$<C_COMPILER_ID:Clang,AppleClang>:-Wuninitialized>
	$<$<C_COMPILER_ID:Clang,AppleClang>:-Wsometimes-uninitialized>)
target_compile_options(magpie_flags INTERFACE ${magpie_user_warnings})

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	target_compile_options(magpie_flags INTERFACE -Wlogical-op -Wduplicated-cond)
endif()
if(MAGPIE_WERROR)
	target_compile_options(magpie_flags INTERFACE -Werror)
endif()

# These hold for every object of the build, llhttp's too: half a sanitized program reports nonsense.
if(MAGPIE_SANITIZE)
	add_compile_options(-fsanitize=${MAGPIE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	add_link_options(-fsanitize=${MAGPIE_SANITIZE})
	# half the time of such a build went into where locals are kept, which reports do not tell, and into linking
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
		add_compile_options(-fno-var-tracking)
		find_program(MAGPIE_GOLD ld.gold)
		if(MAGPIE_GOLD)
			add_link_options(-fuse-ld=gold)
		endif()
	endif()
endif()
if(MAGPIE_COVERAGE)
	if(CMAKE_C_COMPILER_ID MATCHES "Clang")
		include(CheckCCompilerFlag)
		check_c_compiler_flag("-fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc" MAGPIE_HAVE_MCDC)
		add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
		if(MAGPIE_HAVE_MCDC)
			add_compile_options(-fcoverage-mcdc)
		endif()
		add_link_options(-fprofile-instr-generate)
		add_library(magpie_profile_abort OBJECT ${PROJECT_SOURCE_DIR}/cmake/profile_abort.c)
		link_libraries($<BUILD_INTERFACE:magpie_profile_abort>)
	else()
		# several threads count at once
		add_compile_options(--coverage -fprofile-update=atomic)
		add_link_options(--coverage)
	endif()
endif()
