/** Which files are pictures that a browser draws and a model may see. */
export const isPicture = (path: string) => /\.(png|jpe?g|gif|webp)$/i.test(path);
