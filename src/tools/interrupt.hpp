// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and SIGTERM in train and certify: the first asks the solver to stop and the result is
// written, the second ends the program at once. Other subcommands have nothing to save.
#pragma once

namespace relulift::tools {

void catch_interrupts();
bool interrupted();

}  // namespace relulift::tools
