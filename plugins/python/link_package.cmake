# Links every entry of the folder FROM into the folder TO, relatively, so that the tree can be moved.
file(MAKE_DIRECTORY ${TO})
file(GLOB entries RELATIVE ${FROM} ${FROM}/*)
foreach(entry ${entries})
  if(NOT entry STREQUAL "__pycache__")
    file(RELATIVE_PATH target ${TO} ${FROM}/${entry})
    file(CREATE_LINK ${target} ${TO}/${entry} SYMBOLIC)
  endif()
endforeach()
