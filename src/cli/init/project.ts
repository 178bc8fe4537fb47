import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { CliError } from '../io.js'
import { versionOf } from '../stores/driver.js'

/** The parts of a package.json that matter here. */
export interface Manifest {
  readonly type?: string
  readonly main?: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** An Express app in a folder. */
export interface Project {
  readonly cwd: string
  readonly manifest: Manifest
  /** The file that makes the app, from the folder on. */
  readonly file: string
  readonly source: string
  /** The name of the variable that holds the app. */
  readonly app: string
  readonly isTypeScript: boolean
  /** Whether it imports, and does not require. */
  readonly isModule: boolean
  readonly manager: 'npm' | 'yarn' | 'pnpm'
  /** What is installed, or what package.json asks for. */
  readonly express: string
}

const candidates = [
  'app',
  'src/app',
  'index',
  'src/index',
  'server',
  'src/server',
  'main',
  'src/main',
].flatMap((name) => ['.ts', '.mts', '.js', '.mjs', '.cjs'].map((extension) => name + extension))

const makesApp = /\b(?:const|let|var)\s+(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*express\(\)/

/**
 * Finds the app in a folder.
 *
 * @param given the file that makes it, where it is not to be looked for.
 * @throws CliError where there is none, with what to do.
 */
export function readProject(cwd: string, given?: string): Project {
  const manifest = readManifest(cwd)
  const file = given ?? [manifest.main ?? '', ...candidates].find((name) => isApp(cwd, name))
  if (file === undefined || !isApp(cwd, file)) {
    throw new CliError(
      'NO_APP',
      `No file with "const app = express()" was found${given === undefined ? '' : ` at ${given}`}. Name it with --file.`,
    )
  }
  const source = readFileSync(join(cwd, file), 'utf8')
  const express = versionOf(cwd, 'express') ?? manifest.dependencies?.express
  if (express === undefined)
    throw new CliError('NO_EXPRESS', 'Express is not installed here: npm install express.')
  const extension = extname(file)
  const isTypeScript = extension === '.ts' || extension === '.mts'
  return {
    cwd,
    manifest,
    file,
    source,
    app: makesApp.exec(source)![1]!,
    isTypeScript,
    isModule: isTypeScript ? /^import\s/m.test(source) : isModuleFile(extension, manifest),
    manager: managerOf(cwd),
    express: express.replace(/^[^\d]*/, ''),
  }
}

function readManifest(cwd: string): Manifest {
  const path = join(cwd, 'package.json')
  if (!existsSync(path))
    throw new CliError('NO_APP', 'There is no package.json here. Run this in the folder of your app.')
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest
}

function isApp(cwd: string, name: string): boolean {
  const path = join(cwd, name)
  return extname(name) !== '' && existsSync(path) && makesApp.test(readFileSync(path, 'utf8'))
}

function isModuleFile(extension: string, { type }: Manifest): boolean {
  return extension === '.mjs' || (extension === '.js' && type === 'module')
}

function managerOf(cwd: string): Project['manager'] {
  if (existsSync(join(cwd, 'pnpm-lock.yaml'))) return 'pnpm'
  return existsSync(join(cwd, 'yarn.lock')) ? 'yarn' : 'npm'
}

/** The folder of the app's file, from the project's folder on. */
export function folderOf({ file }: Project): string {
  return dirname(file)
}
