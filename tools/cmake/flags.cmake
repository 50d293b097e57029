# SPDX-License-Identifier: MIT
# The compiler flags that all code shares, and those of the kernel and of user programs.
include_guard(GLOBAL)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)

# BATON_DEBUG chooses the optimisation; CMake's own build types would add flags of theirs.
set(CMAKE_BUILD_TYPE "" CACHE STRING "Unused: BATON_DEBUG chooses" FORCE)
if(BATON_DEBUG)
    set(baton_debug_value 1)
    set(baton_optimisation -Og)
else()
    set(baton_debug_value 0)
    set(baton_optimisation -O2)
endif()

set(baton_warnings
    -Wall
    -Wextra
    -Wshadow
    -Wconversion
    -Wmissing-prototypes
    -Wundef
    -Werror)

# Paths are made relative to the tree, so that two clones build the same image.
set(baton_common_flags
    ${baton_optimisation}
    -g
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
    -ffile-prefix-map=${CMAKE_BINARY_DIR}=build
    -fno-omit-frame-pointer
    -fno-common
    -ffunction-sections
    -fdata-sections
    -mcmodel=medany
    $<$<COMPILE_LANGUAGE:C>:${baton_warnings}>
    $<$<COMPILE_LANG_AND_ID:ASM,GNU>:-Wa,--debug-prefix-map=${CMAKE_SOURCE_DIR}/=>
    $<$<COMPILE_LANG_AND_ID:ASM,GNU>:-Wa,--debug-prefix-map=${CMAKE_BINARY_DIR}=build>)

# rv64imac without floating point. For GCC the older specification of the ISA string is named,
# in which "i" has the CSR instructions; that is also the variant its libraries are built for.
# Assembly may name floating-point registers (it saves and loads those of users), C may not.
set(baton_kernel_machine -march=rv64imac -mabi=lp64)
set(baton_user_machine -march=rv64gc -mabi=lp64d)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    # Thread-safety attributes are checked by clang only.
    set(baton_compiler_flags -isystem ${libc_include} -Wthread-safety -ftls-model=local-exec)
    set(baton_kernel_isa "")
else()
    set(baton_compiler_flags --specs=picolibc.specs)
    set(baton_kernel_isa -misa-spec=2.2)
endif()

set(baton_kernel_flags
    ${baton_common_flags}
    ${baton_compiler_flags}
    ${baton_kernel_machine}
    ${baton_kernel_isa}
    $<$<COMPILE_LANGUAGE:ASM>:-march=rv64imafdc>
    -ffreestanding
    -fno-pic
    -fno-stack-protector
    -fno-strict-aliasing)
set(baton_user_flags
    ${baton_common_flags}
    ${baton_compiler_flags}
    ${baton_user_machine}
    -fno-pic
    -fno-stack-protector)

set(baton_definitions BATON_DEBUG=${baton_debug_value} BATON_TESTS=$<BOOL:${BATON_TESTS}>)

# Linking is always done by the cross GCC: it knows where the libraries of each variant are.
set(baton_link_flags --specs=picolibc.specs -nostartfiles -static -mcmodel=medany)
