import { Command, CommanderError } from 'commander'
import { isSessionError } from '../errors.js'
import { copy, type CopyCommandOptions } from './commands/copy.js'
import { doctor, type DoctorOptions } from './commands/doctor.js'
import { info } from './commands/info.js'
import { init, type InitOptions } from './commands/init.js'
import {
  count,
  list,
  prune,
  revoke,
  revokeAll,
  type ListOptions,
  type RevokeAllOptions,
  type StoreOption,
} from './commands/sessions.js'
import { Context } from './context.js'
import { CliError, type Io, type Result } from './io.js'
import { version } from './version.js'

const storeOption = [
  '--store <address>',
  'sqlite:FILE, redis://, postgres:// or mysql://; - reads it from the standard input. Default: EXPRESS_SID_STORE',
] as const

/**
 * Runs one command, and resolves to the exit code: 0 where all is well, 1 where the command worked and what it found is
 * bad, 2 where it could not work.
 *
 * @param words what stands behind `express-sid` on the command line.
 */
export async function run(words: readonly string[], io: Io): Promise<number> {
  const isJson = words.includes('--json')
  const context = new Context(io, isJson)
  let exitCode = 0
  const act = async (work: () => Promise<Result>) => {
    const result = await work()
    print(context, result)
    exitCode = result.exitCode ?? 0
  }
  try {
    await programOf(context, act).parseAsync([...words], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    printError(context, error)
    exitCode = 2
  } finally {
    await context.close()
  }
  return exitCode
}

function print({ io, isJson, scrubber }: Context, { json, lines }: Result): void {
  if (isJson) return io.out(JSON.stringify(scrubber.cleanAll(json), null, 2))
  for (const line of lines) io.out(scrubber.clean(line))
}

function printError({ io, isJson, scrubber }: Context, error: unknown): void {
  const isOurs = error instanceof CliError || isSessionError(error)
  const message = error instanceof Error ? error.message : String(error)
  const code = isOurs ? error.code : 'FAILED'
  if (isJson) return io.out(JSON.stringify({ error: { code, message: scrubber.clean(message) } }, null, 2))
  io.err(scrubber.clean(message))
}

type Act = (work: () => Promise<Result>) => Promise<void>

function programOf(context: Context, act: Act): Command {
  const { io, scrubber } = context
  const program = new Command('express-sid')
    .description('Looks after the sessions of express-sid. No command prints a secret.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(scrubber.clean(text.trimEnd())),
      writeErr: (text) => io.err(scrubber.clean(text.trimEnd())),
    })
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option('--json', 'prints JSON, for programs')
      .exitOverride()
  addStoreCommands(command, context, act)
  addAppCommands(command, context, act)
  return program
}

type AddCommand = (name: string, description: string) => Command

function addStoreCommands(command: AddCommand, context: Context, act: Act): void {
  command('count [user]', 'says how many live sessions there are, of everybody or of one user')
    .option(...storeOption)
    .action((user: string | undefined, options: StoreOption) => act(() => count(context, user, options)))
  command('list [user]', 'lists the sessions of a user, last used first, or the first ones of the store')
    .option(...storeOption)
    .option('--limit <number>', 'how many at most', '100')
    .action((user: string | undefined, options: ListOptions) => act(() => list(context, user, options)))
  command('revoke <session>', 'ends one session, by its public id')
    .option(...storeOption)
    .action((id: string, options: StoreOption) => act(() => revoke(context, id, options)))
  command('revoke-all [user]', 'ends all sessions of a user, or of everybody')
    .option(...storeOption)
    .option('--except <session>', 'the id of a session that lives on')
    .option('--everyone', 'ends the sessions of all users and guests')
    .option('--yes', 'does not ask')
    .action((user: string | undefined, options: RevokeAllOptions) =>
      act(() => revokeAll(context, user, options)),
    )
  command('prune', 'removes what has expired, as a running app does by itself')
    .option(...storeOption)
    .action((options: StoreOption) => act(() => prune(context, options)))
  command('copy', 'copies all sessions to another store; can be ended at any time, and run again')
    .option(
      '--from <address>',
      'the old store; - reads it from the standard input. Default: EXPRESS_SID_FROM',
    )
    .option('--to <address>', 'the new one, likewise. Default: EXPRESS_SID_TO')
    .option('--finish', 'makes the copies count, and empties the old store')
    .option('--yes', 'does not ask')
    .action((options: CopyCommandOptions) => act(() => copy(context, options)))
}

function addAppCommands(command: AddCommand, context: Context, act: Act): void {
  command('doctor', 'finds what is wrong with an app, a store, or both')
    .option('--app <url>', 'the address of the app, as browsers use it')
    .option('--login <path>', 'where the login form is sent', '/login')
    .option('--logout <path>', 'where the logout is sent', '/logout')
    .option('--page <path>', 'a page that only a user gets', '/')
    .option(
      '--credentials <form>',
      'what the login form sends, such as username=ann&password=…; - reads it from the standard input. ' +
        'Default: EXPRESS_SID_CREDENTIALS',
    )
    .option('--also <url>', 'another app on the same host, with the same login')
    .option('--connect <host:port>', 'connects there, whatever the name of the host says')
    .option('--insecure', 'takes any certificate')
    .option(...storeOption)
    .action((options: DoctorOptions) => act(() => doctor(context, options)))
  command('info', 'prints what a bug report needs: versions and settings, nothing private')
    .option(...storeOption)
    .action((options: StoreOption) => act(() => info(context, options)))
  command('init', 'adds a working login to the Express app in this folder')
    .option('--file <path>', 'the file that makes the app. Default: it is looked for')
    .option('--store <kind>', 'memory, sqlite, redis, postgres or mysql', 'memory')
    .option('--allow-upgrade', 'raises Express without asking, where it is too old')
    .option('--yes', 'does not ask')
    .option('--no-install', 'changes files only, and leaves npm to you')
    .option('--package <spec>', 'what npm installs for express-sid', 'express-sid')
    .action((options: InitOptions) => act(() => init(context, options)))
}
