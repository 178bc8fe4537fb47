import { copySessions, type CopyReport } from '../../stores/moving/index.js'
import type { Context } from '../context.js'
import type { Result } from '../io.js'

export interface CopyCommandOptions {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly finish?: boolean | undefined
  readonly yes?: boolean | undefined
}

/** Brings all sessions of one store to another. */
export async function copy(context: Context, options: CopyCommandOptions): Promise<Result> {
  // One after the other: both may be lines of the standard input.
  const from = await context.store(options.from, 'from', 'EXPRESS_SID_FROM')
  const to = await context.store(options.to, 'to', 'EXPRESS_SID_TO', { create: true })
  if (options.finish === true) {
    await context.assertMeant(
      options.yes,
      'This empties the old store. Does every app use movingStore, the new store alone, or is stopped?',
    )
  }
  const total = await from.store.count(0)
  const bar = context.io.progress(total)
  const report = await copySessions({
    from: from.store,
    to: to.store,
    finish: options.finish,
    onProgress: ({ phase, done }) =>
      bar.advance(Math.min(done, total), phase === 'copy' ? `${done} of ${total} read` : `${done} checked`),
  })
  bar.stop(report.complete ? 'Done' : 'Not complete')
  return { json: report, lines: linesOf(report), exitCode: report.complete && report.older === 0 ? 0 : 1 }
}

function linesOf(report: CopyReport): string[] {
  const said: [keyof CopyReport, string][] = [
    ['copied', 'copied'],
    ['renewed', 'copied again, since they have changed'],
    ['present', 'there already'],
    ['moved', 'moved, and removed from the old store'],
    ['ended', 'ended meanwhile, so their copies were removed'],
    ['expired', 'expired, so left behind'],
    ['damaged', 'damaged, so left behind: no request could use them'],
    ['older', 'in both stores, and older in the new one: it was not empty. They were left alone'],
  ]
  const lines = said
    .filter(([name]) => Number(report[name]) > 0)
    .map(([name, text]) => `${String(report[name])} ${text}.`)
  if (lines.length === 0) lines.push('There was nothing to copy.')
  if (!report.complete) {
    lines.push(
      'Sessions change in the old store all the time: an app still uses it alone. Run this again later.',
    )
  }
  return lines
}
