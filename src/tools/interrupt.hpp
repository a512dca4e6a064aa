// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and SIGTERM: the first asks to stop, so that train and certify write their result and
// generate takes its half-written file away; the second ends the program at once. Other subcommands
// have nothing to save.
#pragma once

namespace relulift::tools {

void catch_interrupts();
bool interrupted();

}  // namespace relulift::tools
