import type { EmailDriver } from '@supabase/lite';
import type { Logger } from 'pino';

/** There is no mail server here: what Auth would send is a line of the log. */
export function logMail(log: Logger, seal: (text: string) => string): EmailDriver {
  return {
    async send(message) {
      log.info(
        { to: message.to, subject: message.subject, text: seal(message.text ?? '') },
        'mail not sent: read it here',
      );
    },
  };
}
