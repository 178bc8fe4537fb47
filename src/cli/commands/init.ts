import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Context } from '../context.js'
import { withLogin } from '../init/edit.js'
import { folderOf, readProject, type Manifest, type Project } from '../init/project.js'
import { storeTemplates } from '../init/stores.js'
import { authFile, testFile } from '../init/templates.js'
import { CliError, type Result } from '../io.js'

export interface InitOptions {
  readonly file?: string | undefined
  readonly store: string
  readonly allowUpgrade?: boolean | undefined
  readonly yes?: boolean | undefined
  readonly install: boolean
  readonly package: string
}

/** Below this one, Express 4 has known vulnerabilities. */
const SAFE_EXPRESS_4 = 22

/** Adds a working login to the Express app in the folder: a file with it, its tests, and two lines in the app's file. */
export async function init(context: Context, options: InitOptions): Promise<Result> {
  const { io } = context
  const project = readProject(io.cwd, options.file)
  const store = storeTemplates[options.store]
  if (store === undefined) {
    throw new CliError('BAD_OPTION', `--store is one of ${Object.keys(storeTemplates).join(', ')}.`)
  }
  if (project.source.includes('express-sid') || /['"]\.\/auth/.test(project.source)) {
    throw new CliError(
      'ALREADY',
      `${project.file} has a login already: it imports express-sid, or a file named auth.`,
    )
  }
  const name = freeName(project)
  const extension = extname(project.file)
  const written = [`${name}${extension}`, `${name}.test${extension}`].map((file) =>
    join(folderOf(project), file),
  )
  const edited = withLogin(project, name + (extension === '.mjs' || extension === '.cjs' ? extension : ''))
  const express = await expressToInstall(context, project, options)
  await context.assertMeant(
    options.yes,
    `This writes ${written.join(' and ')}, changes ${project.file} and package.json, and installs packages. Go on?`,
  )

  writeFileSync(join(io.cwd, written[0]!), authFile(project, store))
  writeFileSync(join(io.cwd, written[1]!), testFile(project, name + (extension === '.mjs' ? extension : '')))
  writeFileSync(join(io.cwd, project.file), edited)
  const script = addTestScript(project, written[1]!)
  const packages = [options.package, ...(express === undefined ? [] : [express]), ...store.packages]
  const devPackages = project.isTypeScript ? missingTypes(project) : []
  if (options.install) await install(context, project, packages, devPackages)
  const manual = [...packages, ...devPackages].join(' ')
  return {
    json: { written, changed: [project.file, 'package.json'], packages, devPackages, script },
    lines: [
      `Written: ${written.join(', ')}. Changed: ${project.file}, package.json.`,
      ...(options.install ? [] : [`Now install: npm install ${manual}`]),
      `Run the tests with npm run ${script}, start the app, and open /signup.`,
      `The users live in ${written[0]!} until the process ends: put your database there.`,
    ],
  }
}

function freeName(project: Project): string {
  const extension = extname(project.file)
  const isFree = (name: string) =>
    [name + extension, `${name}.test${extension}`].every(
      (file) => !existsSync(join(project.cwd, folderOf(project), file)),
    )
  const name = ['auth', 'sid-auth'].find(isFree)
  if (name === undefined)
    throw new CliError('ALREADY', 'There are files auth and sid-auth already. Nothing was done.')
  return name
}

/** The newer Express to install first: within its major version, so that no route means anything else afterwards. */
async function expressToInstall(
  context: Context,
  { express }: Project,
  { allowUpgrade, yes }: InitOptions,
): Promise<string | undefined> {
  const [major = 0, minor = 0] = express.split('.').map(Number)
  if (major < 4)
    throw new CliError('OLD_EXPRESS', `Express ${express} is too old. express-sid needs 4.16 or later.`)
  if (major > 4 || minor >= SAFE_EXPRESS_4) return undefined
  const newer = `express@^4.${SAFE_EXPRESS_4}.0`
  if (allowUpgrade === true) return newer
  const { io } = context
  const question = `Express ${express} has known vulnerabilities. Raise it to ${newer} first?`
  if (yes !== true && io.isInteractive && !context.isJson) {
    if (await io.confirm(question)) return newer
  } else {
    io.err(`${question} If so, say --allow-upgrade. It stays as it is.`)
  }
  if (minor < 16)
    throw new CliError('OLD_EXPRESS', `Express ${express} is too old. express-sid needs 4.16 or later.`)
  return undefined
}

/** What a TypeScript app needs to compile, and to run the tests. */
function missingTypes({ manifest, express }: Project): string[] {
  const all = { ...manifest.dependencies, ...manifest.devDependencies }
  const wanted = [`@types/express@${express.split('.')[0]}`, '@types/node', 'tsx', 'typescript']
  return wanted.filter((spec) => all[spec.replace(/(?<=.)@\d+$/, '')] === undefined)
}

/** Adds the script `test`, or `test:auth` where there is one already. Returns its name. */
function addTestScript({ cwd, isTypeScript }: Project, file: string): string {
  const path = join(cwd, 'package.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest
  const hasTest = manifest.scripts?.test !== undefined && !manifest.scripts.test.includes('no test specified')
  const name = hasTest ? 'test:auth' : 'test'
  const command = `node ${isTypeScript ? '--import tsx ' : ''}--test ${file}`
  const scripts = { ...manifest.scripts, [name]: command }
  writeFileSync(path, `${JSON.stringify({ ...manifest, scripts }, null, 2)}\n`)
  return name
}

async function install(
  { io }: Context,
  { manager, cwd }: Project,
  packages: readonly string[],
  devPackages: readonly string[],
): Promise<void> {
  const add = manager === 'npm' ? ['install', '--no-audit', '--no-fund'] : ['add']
  const calls = [
    [...add, ...packages],
    ...(devPackages.length > 0 ? [[...add, manager === 'yarn' ? '--dev' : '-D', ...devPackages]] : []),
  ]
  for (const words of calls) {
    if ((await io.run(manager, words, cwd)) === 0) continue
    throw new CliError(
      'INSTALL_FAILED',
      `${manager} ${words.join(' ')} failed. The files are written: install by hand.`,
    )
  }
}
