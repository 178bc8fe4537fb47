// Compiles src to dist/esm and dist/cjs, and marks the second as CommonJS. The package also holds the docs, and stays
// small: comments are in the declarations, where editors show them, and only declarations that users reach are kept.
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const tsc = join(root, 'node_modules/typescript/bin/tsc')
const compile = (...args) =>
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', ...args], { cwd: root, stdio: 'inherit' })

/** The declarations of the package's entries, and all that those import: the same in both copies. */
function copyDeclarations(from) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = Object.values(exports).flatMap((entry) => entry.import?.types ?? [])
  const reached = new Set(entries.map((entry) => join(from, relative('dist/esm', entry))))
  // A Set that grows while it is walked is walked to its new end.
  for (const file of reached) {
    for (const imported of importsOf(file)) reached.add(imported)
    for (const copy of ['esm', 'cjs']) cpSync(file, join(dist, copy, relative(from, file)))
  }
}

function importsOf(file) {
  const imports = readFileSync(file, 'utf8').matchAll(/(?:\bfrom |\bimport |\bimport\()'(\.[^']+)\.js'/g)
  return [...imports].map(([, path]) => join(dirname(file), `${path}.d.ts`))
}

/**
 * `require('express-sid/express-session')` is the middleware itself, as with express-session, which no compiler makes of
 * a module that has other exports.
 */
function makeCallable() {
  const folder = join(dist, 'cjs/express-session')
  writeFileSync(
    join(folder, 'callable.js'),
    "const entry = require('./index.js')\nmodule.exports = Object.assign(entry.default, entry)\n",
  )
  writeFileSync(join(folder, 'callable.d.ts'), callableTypes)
}

const callableTypes = `import * as entry from './index.js'
declare const session: typeof entry.session & typeof entry
declare namespace session {
  type ConnectStore = entry.ConnectStore
  type ExpressSessionOptions = entry.ExpressSessionOptions
  type LegacyCookieOptions = entry.LegacyCookieOptions
  type Store = entry.Store
  type MemoryStore = entry.MemoryStore
  type Session = entry.Session
  type Cookie = entry.Cookie
  type SessionData = entry.SessionData
  type SessionOptions = entry.SessionOptions
  type CookieOptions = entry.CookieOptions
}
export = session
`

const commonJs = ['--module', 'commonjs', '--moduleResolution', 'bundler', '--verbatimModuleSyntax', 'false']
const code = ['--declaration', 'false', '--removeComments']
const declarations = join(dist, 'types')

rmSync(dist, { recursive: true, force: true })
compile(...code)
compile(...code, ...commonJs, '--outDir', 'dist/cjs')
compile('--emitDeclarationOnly', '--outDir', declarations)
copyDeclarations(declarations)
rmSync(declarations, { recursive: true })
makeCallable()
writeFileSync(join(dist, 'cjs/package.json'), '{ "type": "commonjs" }\n')
