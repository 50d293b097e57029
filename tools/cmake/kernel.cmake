# SPDX-License-Identifier: MIT
# The kernel image: its sources, gathered from all folders, and its link in two passes.
#
# Rules:
# - A folder adds sources with baton_kernel_sources(); tests with baton_kernel_tests().
# - The first pass links an empty symbol table, the second one the table made from the first. The
#   table is read-only data behind the text, so no address in it moves; tools/check_image.py proves it.
include_guard(GLOBAL)

find_package(Python3 REQUIRED COMPONENTS Interpreter)

set(baton_generated "${CMAKE_BINARY_DIR}/generated")
set(baton_linker_script "${CMAKE_SOURCE_DIR}/arch/riscv/kernel.ld")

function(baton_apply_kernel_flags target)
    target_compile_options(${target} PRIVATE ${baton_kernel_flags})
    target_compile_definitions(${target} PRIVATE ${baton_definitions} BATON_KERNEL=1)
    target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}")
endfunction()

add_library(kernel-objects OBJECT)
baton_apply_kernel_flags(kernel-objects)

# baton_kernel_sources(<file>...): adds sources of the calling folder to the kernel.
function(baton_kernel_sources)
    foreach(source IN LISTS ARGN)
        target_sources(kernel-objects PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
    endforeach()
endfunction()

# baton_kernel_leaf(<file>...): of the calling folder's sources, those with the code of a leaf (ipc/leaf.h): the registers
# s0..s11 are not theirs.
function(baton_kernel_leaf)
    foreach(source IN LISTS ARGN)
        set_source_files_properties("${CMAKE_CURRENT_SOURCE_DIR}/${source}"
            TARGET_DIRECTORY kernel-objects PROPERTIES COMPILE_OPTIONS
            "-fomit-frame-pointer;-ffixed-x8;-ffixed-x9;-ffixed-x18;-ffixed-x19;-ffixed-x20;-ffixed-x21;-ffixed-x22;-ffixed-x23;-ffixed-x24;-ffixed-x25;-ffixed-x26;-ffixed-x27")
    endforeach()
endfunction()

# baton_kernel_tests(<file>...): the same for in-kernel tests, left out when BATON_TESTS is off.
function(baton_kernel_tests)
    if(BATON_TESTS)
        baton_kernel_sources(${ARGN})
    endif()
endfunction()

function(baton_link_kernel target table)
    add_executable(${target} $<TARGET_OBJECTS:kernel-objects> "${table}"
        "${baton_generated}/build_id.c")
    baton_apply_kernel_flags(${target})
    target_link_options(${target} PRIVATE ${baton_link_flags} ${baton_kernel_machine}
        -misa-spec=2.2 -T "${baton_linker_script}" -Wl,--gc-sections -Wl,--build-id=none
        -Wl,--fatal-warnings -Wl,--no-warn-rwx-segments "-Wl,-Map=${CMAKE_BINARY_DIR}/${target}.map")
    set_target_properties(${target} PROPERTIES SUFFIX "" LINK_DEPENDS "${baton_linker_script}")
endfunction()

function(baton_finish_kernel)
    set(tool "${CMAKE_SOURCE_DIR}/tools/mksymbols.py")
    set(empty "${baton_generated}/symbols_empty.c")
    set(full "${baton_generated}/symbols_full.c")
    file(MAKE_DIRECTORY "${baton_generated}")

    # The build id is a hash over the sources, so it is looked at in every build; the file is only
    # written when it changes.
    add_custom_target(build-id ALL
        COMMAND ${Python3_EXECUTABLE} "${CMAKE_SOURCE_DIR}/tools/mkbuildid.py"
                --root "${CMAKE_SOURCE_DIR}" --output "${baton_generated}/build_id.c"
        BYPRODUCTS "${baton_generated}/build_id.c"
        COMMENT "Build id")

    add_custom_command(OUTPUT "${empty}"
        COMMAND ${Python3_EXECUTABLE} "${tool}" --empty --output "${empty}"
        DEPENDS "${tool}" COMMENT "Empty symbol table")
    baton_link_kernel(baton-pass1.elf "${empty}")

    add_custom_command(OUTPUT "${full}"
        COMMAND ${Python3_EXECUTABLE} "${tool}" --elf "$<TARGET_FILE:baton-pass1.elf>"
                --output "${full}"
        DEPENDS "${tool}" baton-pass1.elf COMMENT "Symbol table")
    baton_link_kernel(baton.elf "${full}")
    add_dependencies(baton-pass1.elf build-id)
    add_dependencies(baton.elf build-id)

    add_custom_command(TARGET baton.elf POST_BUILD
        COMMAND ${Python3_EXECUTABLE} "${CMAKE_SOURCE_DIR}/tools/check_image.py"
                --first "$<TARGET_FILE:baton-pass1.elf>" "$<TARGET_FILE:baton.elf>")
endfunction()
