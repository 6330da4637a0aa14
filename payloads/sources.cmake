# What there is to compile: every kernel folder with a cpu.cpp, every section folder with a section.cpp. Also read
# by the tests that compile payloads/check for other architectures.
set(SITECAP_PAYLOADS ${CMAKE_CURRENT_LIST_DIR})
set(SITECAP_ONLY_KERNELS "*" CACHE STRING "for development: compile this kernel only")
file(GLOB kernel_mains CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/kernels/${SITECAP_ONLY_KERNELS}/cpu.cpp)
file(GLOB SITECAP_KERNEL_SOURCES CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/kernels/${SITECAP_ONLY_KERNELS}/*.cpp)
# Launches for a device, and what of the kernel's other sources they need.
file(GLOB device_mains CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/kernels/${SITECAP_ONLY_KERNELS}/device.cpp)
list(REMOVE_ITEM SITECAP_KERNEL_SOURCES ${device_mains})
set(SITECAP_DEVICE_SOURCES ${device_mains})
foreach(main ${device_mains})
  get_filename_component(folder ${main} DIRECTORY)
  file(GLOB others CONFIGURE_DEPENDS ${folder}/*.cpp)
  list(REMOVE_ITEM others ${main} ${folder}/cpu.cpp)
  list(APPEND SITECAP_DEVICE_SOURCES ${others})
endforeach()
file(GLOB section_mains CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/simulation/*/section.cpp)
file(GLOB SITECAP_SECTION_SOURCES CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/simulation/*/*.cpp)
# Section `tracksters` is made by this kernel: its sources, for a simulation that stands alone.
file(GLOB SITECAP_SECTION_KERNELS CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/kernels/clue/*.cpp)
list(REMOVE_ITEM SITECAP_SECTION_KERNELS ${SITECAP_PAYLOADS}/kernels/clue/device.cpp)

# Sets `declarations` and `rows` of a table: of every folder the function that it provides in a namespace of its name.
function(sitecap_rows mains returned function parameters)
  set(declarations "")
  set(rows "")
  foreach(main ${mains})
    get_filename_component(folder ${main} DIRECTORY)
    get_filename_component(name ${folder} NAME)
    string(APPEND declarations "namespace ${name} {\n${returned} ${function}(${parameters});\n}\n")
    string(APPEND rows "    {\"${name}\", &${name}::${function}},\n")
  endforeach()
  set(declarations "${declarations}" PARENT_SCOPE)
  set(rows "${rows}" PARENT_SCOPE)
endfunction()

# The table of kernels: `namespace sitecap::NAME { std::unique_ptr<Payload> open(...); }` is all a folder provides.
sitecap_rows("${kernel_mains}" "std::unique_ptr<Payload>" open "const Columns&, const Settings&, int")
set(SITECAP_KERNEL_TABLE ${CMAKE_CURRENT_BINARY_DIR}/kernel_table.cpp)
file(CONFIGURE OUTPUT ${SITECAP_KERNEL_TABLE} @ONLY CONTENT "#include \"host/payload.h\"
namespace sitecap {
${declarations}const KernelEntry kernel_entries[] = {
${rows}    {nullptr, nullptr}};
}
")

# The table of kernels on a device: `namespace sitecap::NAME { std::unique_ptr<DevicePayload> open_on_device(...); }`.
sitecap_rows("${device_mains}" "std::unique_ptr<DevicePayload>" open_on_device
  "const Columns&, const Settings&, Device&, int")
set(SITECAP_DEVICE_TABLE ${CMAKE_CURRENT_BINARY_DIR}/device_table.cpp)
file(CONFIGURE OUTPUT ${SITECAP_DEVICE_TABLE} @ONLY CONTENT "#include \"host/device_payload.h\"
namespace sitecap {
${declarations}const DeviceKernelEntry device_kernel_entries[] = {
${rows}    {nullptr, nullptr}};
}
")

# The table of sections: `namespace sitecap::simulation::NAME { Columns simulate(const Run&); }`.
sitecap_rows("${section_mains}" Columns simulate "const Run&")
set(SITECAP_SECTION_TABLE ${CMAKE_CURRENT_BINARY_DIR}/section_table.cpp)
file(CONFIGURE OUTPUT ${SITECAP_SECTION_TABLE} @ONLY CONTENT "#include \"simulation/section.h\"
namespace sitecap::simulation {
${declarations}const SectionEntry section_entries[] = {
${rows}    {nullptr, nullptr}};
}
")
