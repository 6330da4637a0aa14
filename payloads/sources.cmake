# What there is to compile: every kernel folder with a cpu.cpp, every section folder with a section.cpp. Also read
# by the tests that compile payloads/check for other architectures.
set(SITECAP_PAYLOADS ${CMAKE_CURRENT_LIST_DIR})
set(SITECAP_ONLY_KERNELS "*" CACHE STRING "for development: compile this kernel only")
file(GLOB kernel_mains CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/kernels/${SITECAP_ONLY_KERNELS}/cpu.cpp)
file(GLOB SITECAP_KERNEL_SOURCES CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/kernels/${SITECAP_ONLY_KERNELS}/*.cpp)
file(GLOB section_mains CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/simulation/*/section.cpp)
file(GLOB SITECAP_SECTION_SOURCES CONFIGURE_DEPENDS ${SITECAP_PAYLOADS}/simulation/*/*.cpp)

# The table of kernels: `namespace sitecap::NAME { std::unique_ptr<Payload> open(...); }` is all a folder provides.
set(declarations "")
set(rows "")
foreach(main ${kernel_mains})
  get_filename_component(folder ${main} DIRECTORY)
  get_filename_component(name ${folder} NAME)
  string(APPEND declarations "namespace ${name} {\nstd::unique_ptr<Payload> open(const Columns&, const Settings&, int);\n}\n")
  string(APPEND rows "    {\"${name}\", &${name}::open},\n")
endforeach()
set(SITECAP_KERNEL_TABLE ${CMAKE_CURRENT_BINARY_DIR}/kernel_table.cpp)
file(CONFIGURE OUTPUT ${SITECAP_KERNEL_TABLE} @ONLY CONTENT "#include \"host/payload.h\"
namespace sitecap {
${declarations}const KernelEntry kernel_entries[] = {
${rows}    {nullptr, nullptr}};
}
")

# The table of sections: `namespace sitecap::simulation::NAME { Columns simulate(const Run&); }`.
set(declarations "")
set(rows "")
foreach(main ${section_mains})
  get_filename_component(folder ${main} DIRECTORY)
  get_filename_component(name ${folder} NAME)
  string(APPEND declarations "namespace ${name} {\nColumns simulate(const Run&);\n}\n")
  string(APPEND rows "    {\"${name}\", &${name}::simulate},\n")
endforeach()
set(SITECAP_SECTION_TABLE ${CMAKE_CURRENT_BINARY_DIR}/section_table.cpp)
file(CONFIGURE OUTPUT ${SITECAP_SECTION_TABLE} @ONLY CONTENT "#include \"simulation/section.h\"
namespace sitecap::simulation {
${declarations}const SectionEntry section_entries[] = {
${rows}    {nullptr, nullptr}};
}
")
