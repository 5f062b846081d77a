#include "module.h"

PYBIND11_MODULE(_tasker_core, module) { tasker::python::Define(module); }
