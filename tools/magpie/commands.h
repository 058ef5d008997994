/* SPDX-License-Identifier: MIT */
/* commands.h - the subcommands of `magpie`, each in cmd_NAME.c. argv[0] is "magpie NAME"; what is returned is the exit
 * status: 0, 1 when the work failed, 2 when the command line is wrong. */
#ifndef MAGPIE_TOOLS_COMMANDS_H
#define MAGPIE_TOOLS_COMMANDS_H

int cmd_bench(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_fetch(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_sim(int argc, char **argv);
int cmd_stress(int argc, char **argv);

#ifndef MAGPIE_VERSION
#define MAGPIE_VERSION "0.1.0"
#endif

#endif
