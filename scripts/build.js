// Compiles src to dist/esm and dist/cjs, and marks the second as CommonJS. The package also holds the docs, and stays
// small: comments are in the declarations, where editors show them, and only declarations that users reach are kept.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { writeLlms } from './llms.js'

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
  type SessionOptions = entry.session.SessionOptions
  type CookieOptions = entry.session.CookieOptions
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
writeLlms(root)
writeFileSync(join(dist, 'cjs/package.json'), '{ "type": "commonjs" }\n')
await bundleCommand()

/**
 * The command, with the libraries that parse its arguments and draw: they are no dependencies of who installs the package.
 * What is of the package itself is not bundled twice: the command imports it.
 */
async function bundleCommand() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const commands = join(dist, 'esm/cli')
  const outside = {
    name: 'outside',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const file = join(resolveDir, path)
        const isOurs = file.startsWith(join(dist, 'esm')) && !file.startsWith(commands)
        return isOurs ? { path: relative(join(dist, 'cli'), file), external: true } : undefined
      }),
  }
  const { metafile } = await build({
    entryPoints: [join(commands, 'bin.js')],
    outfile: join(dist, 'cli/express-sid.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 200,
    metafile: true,
    define: { 'process.env.SID_CLI_VERSION': JSON.stringify(version) },
    // CommonJS in a module asks for Node's own modules by require.
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    plugins: [outside],
  })
  chmodSync(join(dist, 'cli/express-sid.js'), 0o755)
  writeFileSync(join(dist, 'cli/LICENSES.txt'), licensesOf(metafile))
  for (const copy of ['esm', 'cjs']) rmSync(join(dist, copy, 'cli'), { recursive: true })
}

/** The licenses of what was bundled: they ask for it. */
function licensesOf({ inputs }) {
  const found = Object.keys(inputs).map((path) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path))
  const packages = [...new Map(found.filter(Boolean).map(([folder, name]) => [name, folder]))]
  const texts = packages.map(([name, folder]) => {
    const license = readdirSync(folder).find((file) => /^licen[sc]e/i.test(file))
    if (license === undefined) throw new Error(`${name} is bundled and has no license`)
    return `${name}\n\n${readFileSync(join(folder, license), 'utf8').trim()}\n`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}
