// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and SIGTERM: the first asks the solver to stop and the result is written, the second ends
// the program at once.
#pragma once

namespace relulift::tools {

void catch_interrupts();
bool interrupted();

}  // namespace relulift::tools
