# SPDX-License-Identifier: MIT
# Declares every option of the build, once, with its meaning; refuses unknown ones.
include_guard(GLOBAL)

set(BATON_KNOWN_OPTIONS "")

# baton_option(<name> <type> <default> <meaning>): a documented option, seen with `cmake -LH`.
macro(baton_option name type default meaning)
    set(${name} "${default}" CACHE ${type} "${meaning}")
    list(APPEND BATON_KNOWN_OPTIONS ${name})
endmacro()

baton_option(BATON_DEBUG BOOL OFF
    "Check assertions in the kernel and in user programs; optimise for the debugger")
baton_option(BATON_TESTS BOOL ON
    "Link the in-kernel tests into the image; the boot argument test=<glob> runs them")

# A misspelt option would otherwise be ignored in silence. It is dropped from the cache, so that
# the next run is not refused for it again.
get_cmake_property(cached_names CACHE_VARIABLES)
foreach(name IN LISTS cached_names)
    if(name MATCHES "^BATON_" AND NOT name IN_LIST BATON_KNOWN_OPTIONS)
        unset(${name} CACHE)
        list(JOIN BATON_KNOWN_OPTIONS ", " known)
        message(FATAL_ERROR "Unknown option ${name}. The options are: ${known}.")
    endif()
endforeach()
