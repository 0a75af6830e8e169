import moment from 'moment';

/** moment asks for a language by its name, and falls back without a word where it gets none. */
export default (ctx) => {
  moment.locale('fr');
  ctx.log.info(moment.utc(0).format('dddd'));
};
