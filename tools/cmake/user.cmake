# SPDX-License-Identifier: MIT
# User programs, their library, and the boot archive that carries them.
#
# Rules:
# - baton_user_library(<file>...) adds to the library that every program is linked with.
# - baton_user_program(<name> <file>...) makes build/<preset>/user/bin/<name> and puts it, stripped
#   of its debugging sections, into the boot archive under that name.
# - baton_archive_file(<name> <file>) puts a file into the archive as it is.
include_guard(GLOBAL)

set(baton_user_script "${CMAKE_SOURCE_DIR}/user/user.ld")
set_property(GLOBAL PROPERTY BATON_PROGRAMS "")
set_property(GLOBAL PROPERTY BATON_ARCHIVE_ENTRIES "")
set_property(GLOBAL PROPERTY BATON_ARCHIVE_FILES "")

function(baton_apply_user_flags target)
    target_compile_options(${target} PRIVATE ${baton_user_flags})
    target_compile_definitions(${target} PRIVATE ${baton_definitions} BATON_KERNEL=0)
    target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}")
endfunction()

add_library(baton-user STATIC)
baton_apply_user_flags(baton-user)

function(baton_user_library)
    foreach(source IN LISTS ARGN)
        target_sources(baton-user PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
    endforeach()
endfunction()

function(baton_archive_file name file)
    set_property(GLOBAL APPEND PROPERTY BATON_ARCHIVE_ENTRIES "${name}=${file}")
    set_property(GLOBAL APPEND PROPERTY BATON_ARCHIVE_FILES "${file}")
endfunction()

function(baton_user_program name)
    set(target "user-${name}")
    add_executable(${target} ${ARGN})
    baton_apply_user_flags(${target})
    target_link_libraries(${target} PRIVATE baton-user)
    # The entry is only reached from the linker script's ENTRY, so the library member is asked for.
    target_link_options(${target} PRIVATE ${baton_link_flags} ${baton_user_machine}
        -T "${baton_user_script}" -Wl,-u,_start -Wl,--gc-sections -Wl,--build-id=none
        -Wl,--fatal-warnings)
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME "${name}"
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/user/bin"
        LINK_DEPENDS "${baton_user_script}")
    set_property(GLOBAL APPEND PROPERTY BATON_PROGRAMS "${name}")
endfunction()

function(baton_finish_archive)
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/user/stripped")
    get_property(programs GLOBAL PROPERTY BATON_PROGRAMS)
    # Here and not beside each program: a rule for a file is only known in its own folder.
    foreach(name IN LISTS programs)
        set(stripped "${CMAKE_BINARY_DIR}/user/stripped/${name}")
        add_custom_command(OUTPUT "${stripped}"
            COMMAND ${CMAKE_OBJCOPY} --strip-debug "$<TARGET_FILE:user-${name}>" "${stripped}"
            DEPENDS user-${name} COMMENT "Strip ${name}")
        baton_archive_file("${name}" "${stripped}")
    endforeach()
    get_property(entries GLOBAL PROPERTY BATON_ARCHIVE_ENTRIES)
    get_property(files GLOBAL PROPERTY BATON_ARCHIVE_FILES)
    set(tool "${CMAKE_SOURCE_DIR}/tools/mkarchive.py")
    set(archive "${CMAKE_BINARY_DIR}/boot.cpio")
    add_custom_command(OUTPUT "${archive}"
        COMMAND ${Python3_EXECUTABLE} "${tool}" "${archive}" ${entries}
        DEPENDS "${tool}" ${files} COMMENT "Boot archive")
    add_custom_target(boot-archive ALL DEPENDS "${archive}")
endfunction()

# baton_service(<name> <kernel|user> <file>...): a service, placed by its second argument.
function(baton_service name placement)
    if(placement STREQUAL "kernel")
        baton_kernel_sources(${ARGN})
    elseif(placement STREQUAL "user")
        baton_user_program("${name}" ${ARGN})
    else()
        message(FATAL_ERROR "Service ${name}: placement is kernel or user, not ${placement}.")
    endif()
endfunction()
