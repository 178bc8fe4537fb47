import type { Request } from 'express'
import { sessionOf, type SessionInfo } from 'express-sid'
import { accountOf, actorOf } from '../accounts.js'
import type { Line } from '../activity.js'
import { alert, SHORTEST } from './entrance.js'
import { icon, type Icon } from './icons.js'
import { layout } from './layout.js'
import { type Html, markup } from './markup.js'
import { timeOf } from './time.js'

/** The home of a member: a notebook, and who is here now. */
export function notebookPage(req: Request, isSaved: boolean): Html {
  const { name, note } = accountOf(req)
  const body = markup`<div class="title"><h1>Hello, ${name}</h1>
<p id="live" class="live" role="status" data-state="connecting"><span class="dot"></span><span class="words">Connecting</span></p></div>
${isSaved && markup`<p class="said" role="status">Saved.</p>`}
${notes(req, note)}
<p class="hint">Open this page on another device as well, and sign it out from <a href="/account/devices">Devices</a>: it closes at once.</p>`
  return layout(req, { title: 'Notebook', body, scripts: ['/live.js'] })
}

/** What is the user's alone, support does not get to see. */
function notes(req: Request, note: string): Html {
  if (actorOf(req) !== undefined)
    return markup`<p class="card">The notes are private. Support can't read them.</p>`
  return markup`<form class="card" method="post" action="/note">
<label>Your notes <textarea name="note" rows="9" maxlength="5000" placeholder="Nobody but you can read this.">${note}</textarea></label>
<button class="button">Save</button>
</form>`
}

export function accountPage(req: Request, current: SessionInfo | undefined, isChanged: boolean): Html {
  const { name, email } = accountOf(req)
  const body = markup`<h1>Account</h1>
${isChanged && markup`<p class="said" role="status">The password is changed. Your other devices are signed out.</p>`}
<dl class="card facts">
<div><dt>Name</dt><dd>${name}</dd></div>
<div><dt>Email</dt><dd>${email}</dd></div>
${current !== undefined && session(current)}
</dl>
<ul class="links">
${link('/account/password', 'key', 'Change the password', 'Asks for the old one, and signs out your other devices')}
${link('/account/devices', 'devices', 'Devices', 'Where you are signed in')}
${link('/account/activity', 'pulse', 'Activity', 'What happened with your account')}
</ul>`
  return layout(req, { title: 'Account', body })
}

function session({ label, authenticatedAt, absoluteExpiresAt }: SessionInfo): Html {
  return markup`<div><dt>This device</dt><dd>${label}</dd></div>
<div><dt>Signed in</dt><dd>${timeOf(authenticatedAt)}</dd></div>
<div><dt>Until, at most</dt><dd>${timeOf(absoluteExpiresAt)}</dd></div>`
}

function link(to: string, name: Icon, title: string, text: string): Html {
  return markup`<li><a href="${to}">${icon(name)}<span><b>${title}</b><br>${text}</span></a></li>\n`
}

export function passwordPage(req: Request, problem?: string): Html {
  const body = markup`<h1>Change the password</h1>
${alert(problem)}
<form class="card" method="post">
<input type="hidden" autocomplete="username" value="${accountOf(req).email}">
<label>Old password <input name="old" type="password" autocomplete="current-password" required autofocus></label>
<label>New password <input name="password" type="password" autocomplete="new-password" minlength="${SHORTEST}" maxlength="200" required aria-describedby="rule"></label>
<p id="rule" class="hint">At least ${SHORTEST} characters. Your other devices will be signed out.</p>
<button class="button">Change it</button>
</form>
<p class="after"><a href="/account">Back</a></p>`
  return layout(req, { title: 'Change the password', body, isForm: true })
}

export function activityPage(req: Request, lines: readonly Line[]): Html {
  const body = markup`<h1>Activity</h1>
<p class="lead">What happened with your account, newest first. If something was not you, <a href="/account/password">change your password</a>.</p>
<ol class="activity">
${lines.map(lineOf)}</ol>
${lines.length === 0 && markup`<p>Nothing yet.</p>`}`
  return layout(req, { title: 'Activity', body })
}

function lineOf(line: Line): Html {
  const [name, words] = wordsOf(line)
  const where = [line.device, line.ip].filter(Boolean).join(' · ')
  return markup`<li class="${name === 'warning' && 'bad'}">${icon(name)}<span><b>${words}</b>${
    line.actor !== null && markup` <em>by ${line.actor}, support</em>`
  }<br><small>${timeOf(line.at)}${where !== '' && ` · ${where}`}</small></span></li>\n`
}

/** An event in words for people. */
function wordsOf({ type, cause }: Line): [Icon, string] {
  if (type === 'login' && cause === 'reauthentication') return ['key', 'Confirmed the password']
  if (type === 'revoke') return ['devices', endings[cause ?? ''] ?? 'Signed out from elsewhere']
  return lines[type] ?? ['pulse', type]
}

const lines: Record<string, [Icon, string]> = {
  login: ['key', 'Signed in'],
  signUp: ['person', 'Signed up'],
  logout: ['person', 'Signed out'],
  credentialsChanged: ['key', 'Changed the password'],
  actAs: ['people', 'Acted as you'],
  stopActing: ['people', 'Stopped acting as you'],
  actAsRefused: ['warning', 'Wanted to act as somebody else'],
  expire: ['person', 'Signed out, after no use'],
  loginRefused: ['warning', 'Wrong password'],
  clientChange: ['warning', 'Another browser or network'],
  reuse: ['warning', 'A copied cookie was used'],
}

const endings: Record<string, string> = {
  revoke: 'Signed out from another device',
  revokeAll: 'Signed out everywhere',
  revokeOthers: 'Signed out everywhere else',
  maxSessions: 'Signed out for a newer sign-in',
  credentialsChanged: 'Signed out by a new password',
  actorEnded: 'Support has signed out',
}

/** Whether the request asks for what `sessionOf` knows. */
export async function currentOf(req: Request): Promise<SessionInfo | undefined> {
  return (await sessionOf(req).list()).find(({ current }) => current)
}
