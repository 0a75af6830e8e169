import PDFDocument from 'pdfkit';

/** A PDF with two fonts, which pdfkit reads from files beside its code. */
export default async (ctx) => {
  const document = new PDFDocument();
  const chunks = [];
  document.on('data', (chunk) => chunks.push(chunk));
  document.font('Helvetica').text('hello').font('Times-Roman').text('again');
  document.end();
  await new Promise((resolve) => document.once('end', resolve));
  const pdf = Buffer.concat(chunks).toString('latin1');
  ctx.log.info(`${pdf.slice(0, 5)} ${pdf.includes('/BaseFont /Helvetica')} ${pdf.includes('/BaseFont /Times-Roman')}`);
};
