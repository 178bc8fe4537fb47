import type { Context } from '../context.js'
import { examineApp, type AppReport } from '../doctor/app.js'
import { problem, type Finding } from '../doctor/finding.js'
import { causeText } from '../../lib/text/cause-text.js'
import { examineStore, type StoreReport } from '../doctor/store.js'
import { CliError, type Result } from '../io.js'
import type { StoreOption } from './sessions.js'

export interface DoctorOptions extends StoreOption {
  readonly app?: string | undefined
  readonly login: string
  readonly logout: string
  readonly page: string
  readonly credentials?: string | undefined
  readonly also?: string | undefined
  readonly connect?: string | undefined
  readonly insecure?: boolean | undefined
}

/** Finds what is wrong with an app, with a store, or with both. */
export async function doctor(context: Context, options: DoctorOptions): Promise<Result> {
  const hasStore = options.store !== undefined || context.io.env.EXPRESS_SID_STORE !== undefined
  if (options.app === undefined && !hasStore) {
    throw new CliError(
      'BAD_OPTION',
      'What shall be looked at? Say --app http://localhost:3000, --store, or both.',
    )
  }
  const app = options.app === undefined ? undefined : await lookAtApp(context, options, options.app)
  const store = hasStore ? await lookAtStore(context, options) : undefined
  const findings = [...(app?.findings ?? []), ...(store?.findings ?? [])]
  const json = {
    findings,
    store: store && { ...store, findings: undefined },
    leftSession: app?.leftSession,
  }
  return { json, lines: linesOf(findings, store), exitCode: findings.length === 0 ? 0 : 1 }
}

async function lookAtApp(context: Context, options: DoctorOptions, app: string): Promise<AppReport> {
  const credentials = await context.secret(options.credentials, 'EXPRESS_SID_CREDENTIALS')
  if (credentials === undefined) {
    throw new CliError(
      'NO_CREDENTIALS',
      'To follow a login, doctor needs a user for tests. Set EXPRESS_SID_CREDENTIALS to what the form sends, such as ' +
        'username=ann&password=…, or say --credentials - and give it on the standard input.',
    )
  }
  hideCredentials(context, credentials)
  const { login, logout, page, connect, insecure, also } = options
  return examineApp({
    app: urlOf(app, '--app'),
    also: also === undefined ? undefined : urlOf(also, '--also'),
    login,
    logout,
    page,
    credentials,
    connect,
    insecure,
  })
}

/** The values of the form: a page that shows what was sent must not bring them into the report. */
function hideCredentials({ scrubber }: Context, credentials: string): void {
  scrubber.add(credentials)
  if (credentials.startsWith('{')) {
    for (const value of Object.values(jsonOf(credentials))) scrubber.add(String(value))
    return
  }
  for (const [name, value] of new URLSearchParams(credentials)) {
    if (/pass|pwd|secret|token|code|pin/i.test(name)) scrubber.add(value)
  }
}

function jsonOf(text: string): object {
  try {
    return JSON.parse(text) as object
  } catch {
    throw new CliError('BAD_OPTION', 'The credentials begin with { and are no JSON.')
  }
}

function urlOf(text: string, option: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  throw new CliError('BAD_OPTION', `${option} takes an address such as https://shop.example.`)
}

/** A store that can't be reached, or has no tables, is what a doctor is asked about: a finding, and no failure. */
async function lookAtStore(context: Context, { store }: StoreOption): Promise<StoreReport> {
  try {
    return await examineStore(await context.store(store, 'store', 'EXPRESS_SID_STORE'))
  } catch (error) {
    if (error instanceof CliError && !['UNREACHABLE', 'NOT_FOUND'].includes(error.code)) throw error
    const message = error instanceof Error ? error.message : String(error)
    const text = message === '' ? (causeText(error) ?? 'It does not say why.') : message
    return {
      server: 'The store can not be used',
      schema: null,
      sessions: 0,
      latencyMs: 0,
      findings: [problem('store', `The store can not be used. ${text}`)],
    }
  }
}

function linesOf(findings: readonly Finding[], store: StoreReport | undefined): string[] {
  const lines = store
    ? [
        `${store.server}, ${store.schema === null ? 'no tables' : `schema ${store.schema}`}, ${store.sessions} sessions, ` +
          `a lookup takes ${store.latencyMs.toFixed(1)} ms.`,
      ]
    : []
  if (findings.length === 0) return [...lines, 'Nothing is wrong.']
  return [
    ...lines,
    ...findings.flatMap(({ id, level, message }) => [`${level.toUpperCase()} ${id}`, `  ${message}`]),
  ]
}
