// `npm run bench`: installs what is compared, builds the package and the benchmark, and starts run.ts on Node 26.
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const run = (program, args, cwd = '..') => {
  // Progress goes to stderr, so that stdout is the report alone.
  execFileSync(program, args, { cwd: path(cwd), stdio: ['inherit', process.stderr, 'inherit'] })
}
const args = process.argv.slice(2)

const installed = path('node_modules/.package-lock.json')
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(path('package-lock.json')).mtimeMs) {
  run('npm', ['ci', '--no-audit', '--no-fund'], '.')
}
if (!args.includes('--no-build')) run(process.execPath, ['scripts/build.js'])
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.build.json'])
try {
  // The load generator has to be faster than the fastest server, so it runs on the newest Node as well.
  execFileSync(path('node_modules/node26/bin/node'), [path('dist/run.js'), ...args], { stdio: 'inherit' })
} catch (error) {
  // The benchmark has said what is wrong.
  process.exitCode = error.status ?? 1
}
