/** The client of the project: one for the run, and nobody until the pack signs in. */
export default async ({ supabase, log }) => {
  const client = await supabase();
  const { data, error } = await client.auth.getSession();
  log.info('session', { same: client === (await supabase()), session: data.session, error });
  const answer = await client.schema('stark').from('pods').select('id');
  log.info('pods', { code: answer.error?.code, data: answer.data });
};
