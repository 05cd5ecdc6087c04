import { Command } from 'commander';

// The least that could read an option and print its answer.

const program = new Command('bare').option('--json', 'print JSON').argument('<file>');
program.parse();
process.stdout.write(`${JSON.stringify({ file: program.args[0] })}\n`);
