import { program } from './cli/program.ts';
import { report } from './cli/terminal/report.ts';

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
