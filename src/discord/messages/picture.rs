//! The chart of what Snapshots cost from month to month, and its alt text.
//!
//! One bar per month, drawn in memory with a bundled font, so that it looks the same everywhere. Drawing takes some milliseconds of CPU
//! time, so the caller runs it on a blocking thread, and falls back to text if it fails.

use jiff::civil::Date;
use plotters::{
    backend::DrawingBackend,
    coord::Shift,
    drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _},
    element::{PathElement, Rectangle, Text},
    prelude::BitMapBackend,
    style::{
        Color as _, FontStyle, IntoFont as _, RGBColor, TextStyle, register_font,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{cost::Month, message::File, units::dollars_a_month};

/// The maximum number of months; the latest are drawn.
const MOST_BARS: usize = 12;
/// The width and height of the chart, in pixels.
const WIDTH: u32 = 800;
const HEIGHT: u32 = 400;
/// The distance between the ends of the lines and the edges, in pixels.
const LEFT: i32 = 40;
const RIGHT: i32 = 760;
/// The baseline of the bars, and the height of the highest, in pixels.
const FLOOR: i32 = 330;
const HIGHEST: i32 = 240;
/// Discord's own dark colors. The chart has its own background, so it is readable in the light theme too.
const GROUND: RGBColor = RGBColor(43, 45, 49);
const INK: RGBColor = RGBColor(242, 243, 245);
const LINE: RGBColor = RGBColor(128, 132, 142);
const BAR: RGBColor = RGBColor(88, 101, 242);
/// `DejaVu Sans`, reduced to the letters of English; its license is in the same folder.
const FONT: &[u8] = include_bytes!("picture/DejaVuSans-latin.ttf");
/// The name of the font in the drawing library.
const FONT_NAME: &str = "DejaVu Sans";

/// Why there is no chart.
#[derive(Debug, thiserror::Error)]
pub enum Undrawn {
    /// The font cannot be read.
    #[error("the font of pictures cannot be read")]
    Font,
    /// It could not be drawn.
    #[error("a picture could not be drawn: {0}")]
    Drawing(String),
    /// It could not be written as a PNG.
    #[error("a picture could not be written")]
    Encoding(#[from] png::EncodingError),
}

/// Whether the chart says more than a line of text: there are months to compare.
pub fn is_worth_drawing(months: &[Month]) -> bool {
    months.iter().filter(|month| month.dollars.is_some_and(|dollars| dollars > 0.0)).count() > 1
}

/// The chart of these months, oldest first, as a file with an alt text.
pub fn trend(months: &[Month]) -> Result<File, Undrawn> {
    register_font(FONT_NAME, FontStyle::Normal, FONT).map_err(|_| Undrawn::Font)?;
    let months = &months[months.len().saturating_sub(MOST_BARS)..];
    let mut pixels = vec![0; usize::try_from(WIDTH * HEIGHT * 3).unwrap_or_default()];
    let area = BitMapBackend::with_buffer(&mut pixels, (WIDTH, HEIGHT)).into_drawing_area();
    draw(&area, months).map_err(|why| Undrawn::Drawing(why.to_string()))?;
    drop(area);
    Ok(File::new("snapshot-costs.png", encoded(&pixels)?, &alt(months)))
}

/// The alt text of the chart.
fn alt(months: &[Month]) -> String {
    let last = months.len().saturating_sub(1);
    let each = months.iter().enumerate().map(|(number, month)| {
        let so_far = if number == last { " so far" } else { "" };
        let dollars = month.dollars.map_or_else(|| "not recorded".to_owned(), dollars_a_month);
        format!("{}{so_far} {dollars}", month.first.strftime("%b %Y"))
    });
    format!("Bar chart of what Snapshots cost (estimate): {}.", each.collect::<Vec<_>>().join(", "))
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
type DrawingError<'a> = DrawingAreaErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>;

fn draw<'a>(area: &Area<'a>, months: &[Month]) -> Result<(), DrawingError<'a>> {
    area.fill(&GROUND)?;
    let title = Text::new("Snapshots, dollars a month (estimate)", (LEFT, 32), style(26, HPos::Left));
    area.draw(&title)?;
    area.draw(&PathElement::new(vec![(LEFT, FLOOR), (RIGHT, FLOOR)], LINE.stroke_width(2)))?;
    let dearest = months.iter().filter_map(|month| month.dollars).fold(0.0, f64::max);
    let room = (RIGHT - LEFT) / i32::try_from(months.len().max(1)).unwrap_or(1);
    // As large as the longest label allows, since a phone shows the chart at less than half its size.
    let letters = (room / 3).clamp(16, 26);
    for (month, middle) in months.iter().zip((LEFT + room / 2..).step_by(usize::try_from(room).unwrap_or(1).max(1))) {
        let top = FLOOR - height(month.dollars.unwrap_or_default(), dearest);
        let half = (room * 3 / 10).min(70);
        if top < FLOOR {
            area.draw(&Rectangle::new([(middle - half, top), (middle + half, FLOOR - 1)], BAR.filled()))?;
        }
        let write = |text: String, y| area.draw(&Text::new(text, (middle, y), style(letters, HPos::Center)));
        write(month.dollars.map_or_else(|| "–".to_owned(), short), top - letters * 2 / 3)?;
        write(month.first.strftime("%b").to_string(), FLOOR + letters)?;
        if is_named_with_its_year(month.first, months) {
            write(month.first.strftime("%Y").to_string(), FLOOR + letters * 2)?;
        }
    }
    area.present()
}

/// Whether a month is labeled with its year: the first one, and each January.
fn is_named_with_its_year(first: Date, months: &[Month]) -> bool {
    first.month() == 1 || months.first().is_some_and(|month| month.first == first)
}

fn style(letters: i32, side: HPos) -> TextStyle<'static> {
    TextStyle::from((FONT_NAME, letters).into_font()).color(&INK).pos(Pos::new(side, VPos::Center))
}

/// The height of a bar, in pixels.
fn height(dollars: f64, dearest: f64) -> i32 {
    let share = if dearest > 0.0 { (dollars / dearest).clamp(0.0, 1.0) } else { 0.0 };
    let pixels = (0..HIGHEST).take_while(|pixel| share * f64::from(HIGHEST) >= f64::from(*pixel) + 0.5).count();
    i32::try_from(pixels).unwrap_or(HIGHEST)
}

/// A short amount: with cents only if they matter.
fn short(dollars: f64) -> String {
    if dollars < 10.0 { format!("${dollars:.2}") } else { format!("${dollars:.0}") }
}

fn encoded(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(dollars: &[Option<f64>]) -> Vec<Month> {
        let first =
            |number: usize| Date::constant(2026, 1, 1) + jiff::Span::new().months(i64::try_from(number).unwrap());
        dollars.iter().enumerate().map(|(number, dollars)| Month { first: first(number), dollars: *dollars }).collect()
    }

    /// The width, the height, and the pixels as red, green and blue.
    fn decoded(file: &File) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file.bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height, pixels)
    }

    fn painted(file: &File, colour: RGBColor) -> usize {
        let wanted = [colour.0, colour.1, colour.2];
        decoded(file).2.chunks(3).filter(|pixel| *pixel == wanted).count()
    }

    #[test]
    fn a_picture_is_a_small_png_with_a_text_that_stands_for_it() {
        let file = trend(&months(&[Some(1.2), None, Some(3.6)])).unwrap();
        assert_eq!(file.name, "snapshot-costs.png");
        assert_eq!(
            file.alt,
            "Bar chart of what Snapshots cost (estimate): Jan 2026 $1.20/mo, Feb 2026 not recorded, Mar 2026 so far $3.60/mo."
        );
        let (width, height, _) = decoded(&file);
        assert_eq!((width, height), (WIDTH, HEIGHT));
        assert!(file.bytes.len() < 100_000, "{}", file.bytes.len());
        assert!(painted(&file, INK) > 200, "nothing is written on it");
    }

    #[test]
    fn bars_are_as_high_as_what_they_stand_for() {
        let of = |dollars: &[Option<f64>]| painted(&trend(&months(dollars)).unwrap(), BAR);
        assert!(of(&[Some(4.0), Some(2.0)]) > of(&[Some(4.0), Some(1.0)]));
        assert_eq!(of(&[None, Some(0.0)]), 0);
        assert_eq!((height(0.0, 0.0), height(3.0, 6.0), height(9.0, 6.0)), (0, HIGHEST / 2, HIGHEST));
    }

    #[test]
    fn odd_figures_are_drawn_all_the_same() {
        let odd = [Some(f64::NAN), Some(f64::INFINITY), Some(-1.0), Some(1e12), None];
        for count in [0, 1, 5, 12, 40] {
            let many: Vec<Option<f64>> = odd.into_iter().cycle().take(count).collect();
            let file = trend(&months(&many)).unwrap();
            assert!(file.alt.chars().count() <= crate::discord::messages::lengths::ALT, "{}", file.alt);
        }
    }

    #[test]
    fn one_month_is_no_picture() {
        assert!(!is_worth_drawing(&months(&[None, Some(0.0), Some(2.0)])));
        assert!(is_worth_drawing(&months(&[Some(1.0), None, Some(2.0)])));
    }
}
