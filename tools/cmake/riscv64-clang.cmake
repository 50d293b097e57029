# SPDX-License-Identifier: MIT
# Toolchain: clang compiles; the cross GCC links, and lends the headers of picolibc.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(CMAKE_C_COMPILER clang)
set(CMAKE_ASM_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET riscv64-unknown-elf)
set(CMAKE_ASM_COMPILER_TARGET riscv64-unknown-elf)
set(CMAKE_OBJCOPY riscv64-unknown-elf-objcopy)
set(CMAKE_AR riscv64-unknown-elf-ar CACHE STRING "Archiver")
set(CMAKE_RANLIB riscv64-unknown-elf-ranlib CACHE STRING "Archive indexer")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_LINK_EXECUTABLE
    "riscv64-unknown-elf-gcc <LINK_FLAGS> <OBJECTS> -o <TARGET> <LINK_LIBRARIES>")

# GCC prints the directories that it searches for <...>; picolibc's is the first of them.
execute_process(
    COMMAND riscv64-unknown-elf-gcc --specs=picolibc.specs -E -Wp,-v -x c /dev/null
    OUTPUT_QUIET ERROR_VARIABLE search)
string(REGEX MATCH "search starts here:[ \n]+([^ \n]*picolibc[^ \n]*)" match "${search}")
set(libc_include "${CMAKE_MATCH_1}")
