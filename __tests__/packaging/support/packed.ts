import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = process.cwd()
const sources = ['src', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json']
const documents = ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'docs']
const HOUR_MS = 3_600_000
/** A registry that answers slowly is no reason to hang. */
const NPM_MS = 90_000

/** What runs of the same source share, since each test file is a process of its own: a folder by its content. */
const PREFIX = 'express-sid-packed-'

/**
 * The tarball as it would be published, built from the source as it is now, apart from `dist`. Made once: who
 * comes second finds it, and of two who build at once one wins the rename.
 */
export async function packedTarball(): Promise<string> {
  const folder = join(tmpdir(), PREFIX + (await fingerprint()))
  const tarball = join(folder, 'express-sid.tgz')
  if (!(await exists(tarball))) {
    await removeOld()
    const made = await build()
    await rename(made, folder).catch(() => rm(made, { recursive: true, force: true }))
  }
  return tarball
}

async function build(): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'express-sid-build-'))
  for (const name of [...sources, ...documents]) {
    if (await exists(join(root, name))) await cp(join(root, name), join(work, name), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(work, 'node_modules'))
  await run(process.execPath, ['scripts/build.js'], { cwd: work })
  const out = await mkdtemp(join(tmpdir(), PREFIX))
  const npm = ['pack', '--offline', '--ignore-scripts', '--loglevel=error', '--pack-destination', out]
  const { stdout } = await run('npm', npm, { cwd: work })
  await rename(join(out, stdout.trim().split('\n').at(-1)!), join(out, 'express-sid.tgz'))
  await rm(work, { recursive: true, force: true })
  return out
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of [...sources, ...documents]) {
    const path = join(root, name)
    if (!(await exists(path))) continue
    const isFolder = (await stat(path)).isDirectory()
    const files = isFolder ? (await readdir(path, { recursive: true })).toSorted() : ['']
    for (const file of files) {
      const whole = join(path, file)
      if ((await stat(whole)).isFile()) hash.update(`${name}/${file}\0`).update(await readFile(whole))
    }
  }
  return hash.digest('hex').slice(0, 16)
}

async function removeOld(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const path = join(tmpdir(), name)
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs
    if (age > HOUR_MS) await rm(path, { recursive: true, force: true })
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

/** What `npm install express-sid` brings with it; taken from here, so that no network is needed. */
const dependencies = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object }).dependencies,
)

export interface Consumer {
  readonly folder: string
  /** Runs Node in the folder; rejects with all that it printed when it fails. */
  readonly node: (args: readonly string[], env?: Record<string, string>) => Promise<string>
  readonly remove: () => Promise<void>
}

/**
 * An app that has installed the tarball: a folder outside of this repository, with only the packages named.
 * `{ express: 'express4' }` installs our `express4` under the name `express`.
 */
export async function makeConsumer(
  files: string,
  packages: readonly string[],
  renamed: Readonly<Record<string, string>> = {},
): Promise<Consumer> {
  const folder = await copyOf(files)
  const installed = join(folder, 'node_modules')
  await mkdir(join(installed, 'express-sid'), { recursive: true })
  const tarball = await packedTarball()
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(installed, 'express-sid')])
  const links = Object.fromEntries([...dependencies, ...packages].map((name) => [name, name]))
  for (const [name, source] of Object.entries({ ...links, ...renamed })) {
    await mkdir(dirname(join(installed, name)), { recursive: true })
    await symlink(join(root, 'node_modules', source), join(installed, name))
  }
  return consumerIn(folder)
}

/** As an app's author does it: npm finds the dependencies, the peers and their versions. Asks the registry. */
export async function installConsumer(files: string, packages: readonly string[]): Promise<Consumer> {
  const folder = await copyOf(files)
  const npm = ['install', '--prefix', folder, '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', [...npm, await packedTarball(), ...packages], { cwd: folder, timeout: NPM_MS })
  return consumerIn(folder)
}

async function copyOf(files: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'express-sid-consumer-'))
  await cp(join(root, '__tests__/packaging/consumers', files), folder, { recursive: true })
  return folder
}

function consumerIn(folder: string): Consumer {
  return {
    folder,
    async node(args, env = {}) {
      try {
        return (await run(process.execPath, args, { cwd: folder, env: { ...process.env, ...env } })).stdout
      } catch (error) {
        const { stdout, stderr } = error as { stdout: string; stderr: string }
        throw new Error(`node ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error })
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
