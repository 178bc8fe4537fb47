import type { Request } from 'express'
import { actorOf, type Account } from '../accounts.js'
import { icon } from './icons.js'
import { type Html, markup } from './markup.js'

interface Page {
  readonly title: string
  readonly body: Html
  /** Whether it is a narrow page with one form on it. */
  readonly isForm?: boolean
  /** Scripts of the page, besides the one that every page of a member has. */
  readonly scripts?: readonly string[]
}

const places = [
  ['/', 'Notebook', 'book'],
  ['/account/devices', 'Devices', 'devices'],
  ['/account/activity', 'Activity', 'pulse'],
  ['/account', 'Account', 'person'],
] as const

/** A whole page. It loads its style and its scripts from here, and nothing from elsewhere. */
export function layout(req: Request, { title, body, isForm = false, scripts = [] }: Page): Html {
  const user = req.user as Account | undefined
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="theme-color" content="#f4f1ea" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#14181a" media="(prefers-color-scheme: dark)">
<title>${title} · Larch</title>
<link rel="icon" href="/larch.svg">
<link rel="stylesheet" href="/style.css">
${user !== undefined && markup`<script type="module" src="/session.js"></script>`}
${scripts.map((src) => markup`<script type="module" src="${src}"></script>`)}
</head>
<body>
<a class="skip" href="#main">Skip to the page</a>
${user !== undefined && banner(req, user)}
<header class="top">
<a class="brand" href="/">${icon('larch')}<span>Larch</span></a>
${user === undefined ? entrance(req) : navigation(req, user)}
</header>
<main id="main"${isForm && markup` class="narrow"`}>
${body}
</main>
${user !== undefined && dialogs()}
</body>
</html>
`
}

/** Over every page, while somebody from support acts as the user. */
function banner(req: Request, { name }: Account): Html {
  const actor = actorOf(req)
  return markup`${
    actor !== undefined &&
    markup`<aside class="acting" aria-label="Support">
<p>${icon('people')}<span><b>${actor.name}</b>, you act as <b>${name}</b>. ${name} can see that.</span></p>
<form method="post" action="/stop-acting"><button>Stop acting</button></form>
</aside>`
  }`
}

function entrance({ path }: Request): Html {
  return markup`<nav class="enter" aria-label="Sign in">
${path !== '/sign-in' && markup`<a href="/sign-in">Sign in</a>`}
${path !== '/sign-up' && markup`<a class="button" href="/sign-up">Sign up</a>`}
</nav>`
}

function navigation(req: Request, user: Account): Html {
  const { path, baseUrl } = req
  const here = (baseUrl + path).replace(/(.)\/$/, '$1')
  const shown = user.role === 'support' ? [...places, ['/support', 'Support', 'people'] as const] : places
  return markup`<nav class="main" aria-label="Pages"><ul>
${shown.map(
  ([to, label, name]) =>
    markup`<li><a href="${to}"${here === to && markup` aria-current="page"`}>${icon(name)}<span>${label}</span></a></li>\n`,
)}</ul></nav>
<form class="out" method="post" action="/sign-out"><button class="quiet">Sign out</button></form>`
}

/** What the script of a member's page shows: a warning before the session ends, and a word when it has. */
function dialogs(): Html {
  return markup`<dialog id="ending" aria-labelledby="ending-title">
<h2 id="ending-title">Are you still there?</h2>
<p>For your safety you will be signed out in <output>a few seconds</output>.</p>
<div class="row"><button id="stay" class="button">Stay signed in</button>
<form method="post" action="/sign-out"><button class="quiet">Sign out</button></form></div>
</dialog>
<dialog id="ended" aria-labelledby="ended-title">
<h2 id="ended-title">You are signed out</h2>
<p>This session has ended: here, on another device, or because it was not used.</p>
<div class="row"><a class="button" href="/sign-in">Sign in again</a></div>
</dialog>`
}
