import { Fault, indexOfId, type VoteChoice } from '@bailiwick/core'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { answerMailLink, lookAtMailLink, type MailVoteParts } from '../channels/mail-votes.ts'
import { mailNotePage, mailPage, mailPageHeaders } from '../channels/mail-page.ts'
import {
  confirmAccount,
  slackConfirmationPage,
  type SlackConfirmationParts,
} from '../channels/slack-confirmation.ts'
import { takeSlackRequest, type SlackInteractionParts } from '../channels/slack-interactions.ts'
import type { Authentication, HttpEnv } from './asker.ts'
import { problem, problemDocumentOf, saysWhetherRecorded, toldFault } from './problems.ts'
import type { Readings } from './readings.ts'
import { newRouter } from './router.ts'
import {
  getMailPage,
  getSlackAccount,
  postMailVote,
  postSlackAccount,
  postSlackInteraction,
} from './routes.ts'
import { refuseOtherSites } from './same-origin.ts'
import { wholeBody } from './whole-body.ts'

/** How long Slack is kept waiting unless `answerMs` says otherwise; it gives up after three seconds. */
const slackAnswerMs = 2_000

/** What answers from channels are taken by; absent: the channel is not set up. */
export interface ChannelAnswers {
  readonly mail?: MailVoteParts | undefined
  readonly slack?:
    (SlackInteractionParts & SlackConfirmationParts & { readonly answerMs?: number | undefined }) | undefined
}

/**
 * Where people's answers come in over channels. Each authenticates in its own way: Slack by its signature, e-mail by the
 * token of the link. They are forms, as browsers and Slack send them, and not JSON.
 */
export function channelRoutes(
  { mail, slack }: ChannelAnswers,
  { cookie, publicUrl }: Pick<Authentication, 'cookie' | 'publicUrl'>,
  readings: Readings,
  log: (line: string) => void,
): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  router.use('/v1/channels/*', async (context, next) => {
    await next()
    context.header('Cache-Control', 'no-store')
  })

  router.openapi(postSlackInteraction, async (context): Promise<Response> => {
    if (slack === undefined) throw notSetUp('Slack')
    const { judged, told } = await takeSlackRequest(slack, {
      timestamp: context.req.header('x-slack-request-timestamp'),
      signature: context.req.header('x-slack-signature'),
      body: new Uint8Array(await wholeBody(context.req.arrayBuffer())),
    })
    // Slack shows whoever pressed an error for all but 200: that comes only once it is known what became of it.
    const late = new Late(slack.answerMs ?? slackAnswerMs)
    try {
      if (!(await late.after(judged))) throw notKnownYet()
    } finally {
      await late.after(told)
      late.clear()
    }
    return context.body('', 200)
  })

  router.openapi(getSlackAccount, async (context): Promise<Response> => {
    if (slack === undefined) throw notSetUp('Slack')
    const { account } = context.req.valid('param')
    return await pageAnswer(context, log, async () => slackConfirmationPage(account))
  })

  router.openapi(postSlackAccount, async (context): Promise<Response> => {
    if (slack === undefined) throw notSetUp('Slack')
    const { account } = context.req.valid('param')
    return await pageAnswer(context, log, async () => {
      refuseOtherSites(context, publicUrl)
      return await confirmAccount(slack, account, getCookie(context, cookie.name))
    })
  })

  router.openapi(getMailPage, async (context): Promise<Response> => {
    if (mail === undefined) throw notSetUp('e-mail')
    const { token } = context.req.valid('param')
    return await pageAnswer(context, log, async () => {
      const page = await lookAtMailLink(mail, token)
      const { approval, person } = page
      // Whoever follows the link is taken for the person whose link it is, and the record says that it was a link.
      await readings.shownTo(person, 'approval', [indexOfId('apr', approval.id) ?? 0], { over: 'email' })
      return mailPage({ ...page, choice: choiceIn(context.req.query('choice')) })
    })
  })

  router.openapi(postMailVote, async (context): Promise<Response> => {
    if (mail === undefined) throw notSetUp('e-mail')
    const { token } = context.req.valid('param')
    return await pageAnswer(context, log, async () => {
      // The token is what another site does not know; that its form came from here is asked all the same.
      refuseOtherSites(context, publicUrl)
      const form = new URLSearchParams(await wholeBody(context.req.text()))
      const page = await answerMailLink(mail, token, {
        vote: form.get('vote') ?? '',
        digest: form.get('digest') ?? '',
        comment: form.get('comment') ?? '',
        session: getCookie(context, cookie.name),
      })
      return mailPage(page)
    })
  })

  return router
}

function choiceIn(text: string | undefined): VoteChoice | undefined {
  return text === 'approve' || text === 'acknowledge' || text === 'reject' ? text : undefined
}

/** The page, or what is wrong: as a page to browsers, as a problem to programs. */
async function pageAnswer(
  context: Context,
  log: (line: string) => void,
  page: () => Promise<string>,
): Promise<Response> {
  try {
    return context.body(await page(), 200, { ...mailPageHeaders })
  } catch (error) {
    const fault = saysWhetherRecorded(toldFault(error, log))
    if (!(context.req.header('accept') ?? '').includes('text/html')) return problem(context, fault)
    const { title, status, detail, fix } = problemDocumentOf(fault)
    const text = `${detail.charAt(0).toUpperCase()}${detail.slice(1)}. ${fix}`
    // The console asks who has not signed in to do so.
    const link = fault.code === 'not_authenticated' ? '/' : undefined
    return new Response(mailNotePage(title, text, link), { status, headers: { ...mailPageHeaders } })
  }
}

/** From when on nobody waits any more for work that goes on by itself. */
class Late {
  #timer: NodeJS.Timeout | undefined
  readonly #late: Promise<false>

  constructor(ms: number) {
    this.#late = new Promise((resolve) => {
      this.#timer = setTimeout(resolve, ms, false as const)
    })
  }

  /** Whether the work was done before. */
  async after(work: Promise<void>): Promise<boolean> {
    return await Promise.race([work.then(() => true), this.#late])
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}

function notKnownYet(): Fault {
  return new Fault('store_busy', 'it is not known yet whether the answer is recorded', {
    fix: 'Look at the message: whoever pressed is told as soon as it is known.',
    recorded: 'unknown',
  })
}

function notSetUp(channel: string): Fault {
  return new Fault('not_found', `answers over ${channel} are not set up`, {
    fix: 'docs/APPROVALS.md and docs/SLACK.md say how; until then, answer in the console.',
  })
}
