//! A trained network as an ONNX model that reads and says the data's own units.

use crate::data::{Affine, Scaler};
use crate::task::{Question, known};
use crate::{Error, Read};
use elman_io::Model;
use elman_io::onnx::{Surroundings, export};

/// The bytes of an ONNX model of what was trained, its scaling included; of a network without a task, as it is.
///
/// `y` is what the network says at every step: of a forecaster, the next values of all columns; of a classifier, the
/// logit of each class; of a model of text, the logit of each character. Errors are those of
/// [`export`], and a model whose knowledge cannot be read.
pub fn to_onnx(model: &Model) -> Result<Vec<u8>, Error> {
    Ok(export(model, &surroundings(model)?)?)
}

fn surroundings(model: &Model) -> Result<Surroundings, Error> {
    let knowledge = &model.extra;
    if !knowledge.contains_key("task") {
        return Ok(Surroundings::default());
    }
    let affine = |a: &Affine| [a.offset, a.scale];
    let all = |scaler: Scaler| scaler.columns.iter().map(affine).collect::<Vec<_>>();
    Ok(match known::<String>(knowledge, "task")?.as_str() {
        "forecast" => {
            let columns: Vec<String> = known(knowledge, "columns")?;
            let scaling = all(known(knowledge, "scaler")?);
            Surroundings {
                input: scaling.clone(),
                output: scaling,
                change: known(knowledge, "change")?,
                about: format!(
                    "y is the step after each step of x; columns: {}",
                    columns.join(", ")
                ),
            }
        }
        "classify" | "regress" | "label" => {
            let question: Question = known(knowledge, "question")?;
            let read: Read = known(knowledge, "read")?;
            let classes: Vec<String> = known(knowledge, "classes")?;
            let says = match question.of_classes() {
                true => format!("the logits of the classes {}", classes.join(", ")),
                false => "the answer".into(),
            };
            Surroundings {
                input: all(known(knowledge, "scaler")?),
                output: match question.of_classes() {
                    true => Vec::new(),
                    false => vec![affine(&known(knowledge, "answer")?)],
                },
                change: false,
                about: format!(
                    "y is {says} at every step; elman reads it by {read:?} of the steps"
                ),
            }
        }
        "text" => Surroundings {
            about: format!(
                "x are places in the vocabulary, y the logits of the next character; vocabulary: {}",
                knowledge.get("vocabulary").map_or("", String::as_str)
            ),
            ..Surroundings::default()
        },
        _ => Surroundings::default(),
    })
}
